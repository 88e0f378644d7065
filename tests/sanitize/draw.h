/* A random call: cell, sizes, options and what is given. */
#pragma once
#include <math.h>

#include "arguments.h"
#include "arrays.h"

enum { X, KERNEL, RECURRENT_KERNEL, BIAS, H, C, MASK,
       INPUT_MASKS, RECURRENT_MASKS, D_OUTPUT, D_FINAL_H, D_FINAL_C, GIVEN };
enum { OUTPUT, FINAL_H, FINAL_C, D_X, D_KERNEL, D_RECURRENT_KERNEL, D_BIAS, D_H, D_C, RESULTS };

typedef struct {
    Arguments a;
    size_t element;
    int wild, backwards, keeps, backward_threads; /* wild: with infinities and NaN */
    int wants_d_x, wants_d_bias, wants_d_h, wants_d_c;
    Array given[GIVEN];
} Call;

static int64_t gates_of(const Call *call) { return (const int64_t[]){1, 4, 3, 3}[call->a.cell]; }

static int64_t draw_size(void)
{
    static const int64_t borders[] = {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 128, 129, 257};
    return chance(50) ? 1 + below(12) : borders[below(sizeof borders / sizeof *borders)];
}

static int is_bounded(int64_t activation)
{
    return (activation >= TANH && activation <= HARD_SIGMOID_KERAS3) || activation == SOFTSIGN;
}

static void draw_sizes(Call *call)
{
    static const int64_t batches[] = {0, 1, 2, 3, 5, 6, 7, 13, 63, 64, 65, 66, 130, 257};
    static const int64_t times[] = {0, 1, 2, 3, 5, 20, 65, 300};
    Arguments *a = &call->a;
    do {
        a->batch = batches[below(sizeof batches / sizeof *batches)];
        a->timesteps = times[below(sizeof times / sizeof *times)];
        a->features = draw_size(), a->units = draw_size();
        if (!is_bounded(a->recurrent_activation) && a->timesteps > 5) a->timesteps = 5; /* else states explode */
    } while (a->batch * a->timesteps * gates_of(call) * (a->features + a->units) * a->units > 500000);
}

static void draw_options(Call *call)
{
    Arguments *a = &call->a;
    a->cell = below(4), a->is_double = below(2);
    a->activation = below(SOFTSIGN + 1), a->recurrent_activation = below(SOFTSIGN + 1);
    if (chance(40)) a->activation = TANH, a->recurrent_activation = chance(50) ? SIGMOID : HARD_SIGMOID;
    a->threads = 1 + below(3), call->backward_threads = chance(50) ? (int)a->threads : 1 + (int)below(3);
    a->checkpoint_every = chance(30) ? 1 + below(20) : 0;
    a->return_sequences = below(2), a->start_with_zeros = below(2);
    call->element = a->is_double ? 8 : 4;
    call->wild = chance(3), call->backwards = chance(30), call->keeps = chance(80);
    call->wants_d_x = chance(80), call->wants_d_h = chance(70), call->wants_d_c = a->cell == LSTM && chance(70);
}

/* Rows that are padded on the left or on the right, or not, with holes or without. */
static void fill_mask(Array *mask)
{
    const int percent = chance(10) ? 100 : chance(50) ? 40 : 0;
    const int64_t padded = below(3);
    int64_t padding = 0;
    EACH(mask) {
        if (!step) padding = padded ? below(mask->steps + 1) : 0;
        const int is_inside = padded == 1 ? step >= padding : step < mask->steps - padding;
        *at(mask, 1, row, step, i) = is_inside && !chance(percent);
    }
}

/* Weights small enough that no activation lets a state grow, and that no long sequence is chaotic. */
static void draw_arrays(Call *call)
{
    static const double wild[] = {NAN, 1e30, -INFINITY};
    Arguments *a = &call->a;
    Array *g = call->given;
    const size_t e = call->element;
    const int64_t B = a->batch, T = a->timesteps, I = a->features, H_ = a->units, gates = gates_of(call);
    const int saturates = is_bounded(a->activation) && is_bounded(a->recurrent_activation) && T <= 20 && chance(50);
    const double scale = saturates ? 4 : 0.3;
    fill(&g[X], new_strided(B, T, I, e, 1, call->backwards), e, 1);
    fill(&g[KERNEL], new_array(I, 1, gates * H_, e), e, scale / (double)I);
    fill(&g[RECURRENT_KERNEL], new_array(H_, 1, gates * H_, e), e, fmin(scale, 1) / (double)H_);
    if (chance(70)) fill(&g[BIAS], new_array(a->cell == GRU_RESET_AFTER ? 2 : 1, 1, gates * H_, e), e, scale);
    call->wants_d_bias = g[BIAS].bytes && chance(80);
    if (chance(70)) fill(&g[H], new_array(B, 1, H_, e), e, 1);
    if (a->cell == LSTM && chance(70)) fill(&g[C], new_array(B, 1, H_, e), e, 1);
    if (chance(50)) {
        g[MASK] = new_strided(B, T, 1, 1, 1, call->backwards);
        fill_mask(&g[MASK]);
        const int is_whole = g[X].row_stride && g[X].step_stride;
        if (is_whole) EACH(&g[X]) if (!*at(&g[MASK], 1, row, step, 0)) put(at(&g[X], e, row, step, i), e, NAN);
    }
    if (chance(30)) fill_dropout(&g[INPUT_MASKS], new_array(chance(50) ? gates : 1, B, I, e), e);
    if (chance(30)) fill_dropout(&g[RECURRENT_MASKS], new_array(chance(50) ? gates : 1, B, H_, e), e);
    if (chance(80)) fill(&g[D_OUTPUT], new_strided(B, a->return_sequences ? T : 1, H_, e, 0, 0), e, 1);
    if (chance(70)) fill(&g[D_FINAL_H], new_array(B, 1, H_, e), e, 1);
    if (a->cell == LSTM && chance(70)) fill(&g[D_FINAL_C], new_array(B, 1, H_, e), e, 1);
    if (call->wild)
        for (int i = 0; i < GIVEN; i++)
            if (i != MASK && g[i].bytes && chance(40))
                put(g[i].block + below((int64_t)(g[i].bytes / e)) * (int64_t)e, e, wild[below(3)]);
}

static void name_arrays(Call *call)
{
    Arguments *a = &call->a;
    const Array *g = call->given;
    a->x = g[X].start, a->x_batch_stride = g[X].row_stride, a->x_time_stride = g[X].step_stride;
    a->mask = (uint8_t *)g[MASK].start;
    a->mask_batch_stride = g[MASK].row_stride, a->mask_time_stride = g[MASK].step_stride;
    a->input_masks = g[INPUT_MASKS].start, a->input_mask_count = g[INPUT_MASKS].rows;
    a->recurrent_masks = g[RECURRENT_MASKS].start, a->recurrent_mask_count = g[RECURRENT_MASKS].rows;
    a->kernel = g[KERNEL].start, a->recurrent_kernel = g[RECURRENT_KERNEL].start, a->bias = g[BIAS].start;
    a->initial_h = g[H].start, a->initial_c = g[C].start;
    a->d_output = g[D_OUTPUT].start, a->d_output_batch_stride = g[D_OUTPUT].row_stride;
    a->d_output_time_stride = a->return_sequences ? g[D_OUTPUT].step_stride : 0;
    a->d_final_h = g[D_FINAL_H].start, a->d_final_c = g[D_FINAL_C].start;
}
