/* Backward: every task from the last chunk to the first; a thread sums the weights' gradients of its tasks. */

typedef struct {
    REAL *kernel, *recurrent_kernel; /* transposed: panels of `units` rows, in the order of `packed` */
    Weights forward;                 /* where steps are computed again */
} BackwardWeights;

static BackwardWeights backward_weights(const Task *t, Arena *arena)
{
    const long gates = t->l.gates * t->units * NR;
    BackwardWeights w = {take(arena, gates * t->feature_panels), take(arena, gates * t->unit_panels), {0}};
    if (t->a->checkpoint_every) w.forward = forward_weights(t, arena);
    return w;
}

static void backward_pack(const Task *t, const BackwardWeights *w, long part, long parts)
{
    const Arguments *a = t->a;
    const long gates = t->l.gates, row = gates * t->units, all = gates * (t->unit_panels + t->feature_panels);
    for (long j = share(all, part, parts); j < share(all, part + 1, parts); j++) {
        const int recurrent = j < gates * t->unit_panels;
        const long i = recurrent ? j : j - gates * t->unit_panels, p = i / gates, gate = i % gates;
        const REAL *from = recurrent ? a->recurrent_kernel : a->kernel;
        const long to = packed(recurrent ? t->unit_panels : t->feature_panels, gates, gate, p) * t->units * NR;
        pack_transposed((recurrent ? w->recurrent_kernel : w->kernel) + to, from + p * NR * row + gate * t->units,
                        t->units, row, width(recurrent ? t->units : t->features, p));
    }
    if (a->checkpoint_every) forward_pack(t, &w->forward, part, parts);
}

typedef struct {
    REAL *kernel, *recurrent_kernel, *bias; /* panels [gates * unit_panels]; bias [unit_panels][slots][NR] */
} Gradients;

static Gradients gradients_memory(const Task *t, Arena *arena)
{
    const long columns = t->l.gates * t->unit_panels * NR;
    Gradients g = {take(arena, columns * t->features), take(arena, columns * t->units), NULL};
    g.bias = take(arena, t->l.slots * t->unit_panels * NR);
    return g;
}

typedef struct {
    Forward f;                                /* input, masks, and where steps are computed again */
    REAL *h_steps, *dropped_h, *sums, *d_x, *part_d_x;
    REAL *dh, *dc, *d_reset_h, *first_c;
    const REAL *h, *c;                        /* of the chunk */
    REAL *recurrent_masks;                    /* panels of `rows` rows */
    REAL *first_valid;                        /* a row's */
} Backward;

static Backward backward_memory(const Task *t, Arena *arena)
{
    const Arguments *a = t->a;
    const long chunk = (t->steps * t->rows) | 1, columns = t->unit_panels * NR;
    Backward k = {.f = forward_memory(t, arena, 1)};
    if (a->checkpoint_every) k.h_steps = take(arena, chunk * columns);
    k.dropped_h = take(arena, chunk * columns);
    k.sums = take(arena, chunk * t->l.slots * columns);
    k.d_x = take(arena, GROUP * chunk * NR);
    k.part_d_x = take(arena, GROUP * chunk * NR);
    k.dh = take(arena, t->state);
    k.dc = take(arena, t->state);
    k.d_reset_h = take(arena, t->state);
    k.first_c = take(arena, t->state);
    if (a->recurrent_masks) k.recurrent_masks = take(arena, a->recurrent_mask_count * t->state);
    k.first_valid = take(arena, t->rows);
    return k;
}

static void backward_start(const Task *t, Backward *k)
{
    const Arguments *a = t->a;
    zero(k->f.h, t->operand);
    zero(k->f.next_h, t->operand);
    put_rows(t, k->first_c, t->rows, a->initial_c, t->units, 0);
    for (long b = 0; b < t->rows; b++) {
        long step = 0;
        while (a->start_with_zeros && step < a->timesteps && is_masked(t, b, step)) step++;
        k->first_valid[b] = (REAL)step;
    }
}

/* dh += the gradient of the output at a step, for the rows from `first` on. */
static void add_d_output(const Task *t, Backward *k, long first, long step)
{
    const Arguments *a = t->a;
    for (long b = first; b < t->rows; b++) {
        if ((REAL)step < k->first_valid[b]) continue;
        const REAL *dy = (const REAL *)a->d_output + row_of(t, b) * a->d_output_batch_stride + step * a->d_output_time_stride;
        const REAL *earlier = step ? dy - a->d_output_time_stride : dy; /* of the next call: rows lie far apart */
        for (long p = 0; p < t->unit_panels; p++, dy += NR) {
            for (long q = 0; q < NR * ELEMENT; q += 64) __builtin_prefetch((const char *)(earlier + p * NR) + q);
            REAL *dh = k->dh + (p * t->rows + b) * NR;
            const long w = width(t->units, p);
            if (w == NR) UNITS dh[q] += dy[q];
            else for (long q = 0; q < w; q++) dh[q] += dy[q];
        }
    }
}

/* No x is read where no row runs. */
static void zero_d_x(const Task *t, long row, long start, long end)
{
    const Arguments *a = t->a;
    for (; a->d_x && row < t->rows; row++)
        for (long s = start; s < end; s++)
            zero((REAL *)a->d_x + row_of(t, row) * a->d_x_batch_stride + s * a->d_x_time_stride, t->features);
}

/* The gradients of the states of rows that have no valid step from `step` on: those of the final ones, and of all
 * outputs that repeat the last one. */
static void unfinish(const Task *t, Backward *k, long first, long step)
{
    const Arguments *a = t->a;
    put_rows(t, k->dh, t->rows, a->d_final_h, t->units, first);
    put_rows(t, k->dc, t->rows, a->d_final_c, t->units, first);
    zero_d_x(t, first, step, a->timesteps);
    if (!a->d_output) return;
    if (!a->return_sequences) add_d_output(t, k, first, at_least(a->timesteps - 1, 0));
    for (long s = step; a->return_sequences && s < a->timesteps; s++) add_d_output(t, k, first, s);
}

/* The gradients of the initial states of rows that have no valid step before `step`. */
static void unbegin(const Task *t, Backward *k, long first, long step)
{
    const Arguments *a = t->a;
    for (long s = 0; a->d_output && a->return_sequences && s < step; s++) add_d_output(t, k, first, s);
    zero_d_x(t, first, 0, step);
    if (a->d_initial_h) take_rows(t, a->d_initial_h, k->dh, t->rows, first);
    if (a->d_initial_c) take_rows(t, a->d_initial_c, k->dc, t->rows, first);
}

/* The task with another number of rows, the gradients of those that stay moved together or apart. */
static Task backward_resize(const Task *t, Backward *k, long rows)
{
    const Arguments *a = t->a;
    const Task other = with_rows(*t, rows);
    const long stay = rows < t->rows ? rows : t->rows;
    move_rows(k->dh, t->unit_panels, stay, t->rows, other.rows);
    move_rows(k->dc, t->unit_panels, stay, t->rows, other.rows);
    forward_masks(&other, &k->f);
    load_masks(&other, k->recurrent_masks, other.rows, a->recurrent_masks, a->recurrent_mask_count, t->units);
    return other;
}

/* The task with the rows that run in the chunk up to step `end`. */
static Task backward_active(const Task *t, Backward *k, long active, long end)
{
    if (active == t->rows) return *t;
    if (active < t->rows) unbegin(t, k, active, end);
    const Task other = backward_resize(t, k, active);
    if (active > t->rows) unfinish(&other, k, t->rows, end);
    return other;
}

/* A vector of one row back through the cell. */
ALWAYS_INLINE void backward_cell(const Task *t, const int a, const int s, long half, const REAL *g,
                                 const REAL *h_before, const REAL *c_before, const REAL *c, REAL *dh, REAL *dc,
                                 const REAL *d_reset_h, REAL *dg, long slot, REAL *db)
{
    switch (t->a->cell) {
    case SIMPLE_RNN: simple_rnn_backward(a, g, dh, dg, db); break;
    case LSTM: lstm_backward(a, s, g, c_before, c, dh, dc, dg, slot, db); break;
    case GRU_RESET_AFTER: gru_after_backward(a, s, g, h_before, dh, dg, slot, db); break;
    default:
        if (half) gru_backward_update(a, s, g, h_before, dh, dg, slot, db);
        else gru_backward_reset(s, g, h_before, d_reset_h, dh, dg, slot, db);
    }
}

typedef struct {
    long s, step, half, chunk_rows;
    const REAL *slots, *c_before, *c;
} Moment;

ALWAYS_INLINE void backward_rows(const int a, const int s, const Task *t, Backward *k, Gradients *d, Moment m, long p)
{
    const long slot = t->unit_panels * m.chunk_rows * NR, n = t->l.slots * NR;
    REAL db[4 * NR] = {0}; /* of a step, to be added to that of all: closer than row after row */
    for (long b = 0; b < t->rows; b++) {
        const long row = p * m.chunk_rows + m.s * t->rows + b, state = (p * t->rows + b) * NR;
        REAL *dg = k->sums + row * NR;
        if (is_masked(t, b, m.step)) {
            for (long i = 0; i < t->l.slots; i++) zero(dg + i * slot, NR);
            continue;
        }
        UNROLL for (int q = 0; q < NR; q += LANES)
            backward_cell(t, a, s, m.half, m.slots + row * n + q, k->h + row * NR + q, m.c_before + state + q,
                          m.c + state + q, k->dh + state + q, k->dc + state + q, k->d_reset_h + state + q, dg + q, slot, db + q);
    }
    for (long q = 0; q < n; q += LANES) increase(d->bias + p * n + q, load(db + q));
}

static const REAL *mask_of(const Task *t, const Backward *k, long gate)
{
    if (!k->recurrent_masks) return NULL;
    return k->recurrent_masks + (t->a->recurrent_mask_count > 1 ? gate * t->state : 0);
}

/* to = or += the sums' gradients of a step . recurrent_kernel^T for the gates from `gate` up to `end`. */
static void back_through_product(const Task *t, const Backward *k, const BackwardWeights *w, Moment m, long gate, long end,
                                 REAL *to, int add)
{
    const long slot = t->unit_panels * m.chunk_rows * NR, first = gate;
    for (long p = 0; p < t->unit_panels; p += GROUP)
        for (gate = first; gate < end; gate++) {
            const REAL *left = k->sums + recurrent_slot(t->a, gate) * slot + m.s * t->rows * NR, *mask = mask_of(t, k, gate);
            multiply(left, m.chunk_rows, t->rows, w->recurrent_kernel + packed(t->unit_panels, t->l.gates, gate, p) * t->units * NR,
                     group_size(t->unit_panels, p), t->units, to + p * t->rows * NR, NR, t->rows * NR, add, NULL,
                     mask ? mask + p * t->rows * NR : NULL);
        }
}

/* One step back: from the gradient of the h after it to that of the h before it. */
static void backward_step(const Task *t, Backward *k, const BackwardWeights *w, Gradients *d, Moment m)
{
    const Arguments *a = t->a;
    if (a->d_output && a->return_sequences) add_d_output(t, k, 0, m.step);
    for (m.half = t->l.halves - 1; m.half >= 0; m.half--) {
        for (long p = 0; p < t->unit_panels; p++) WITH_ACTIVATIONS(a, backward_rows, t, k, d, m, p);
        if (m.half) back_through_product(t, k, w, m, 2, 3, k->d_reset_h, 0);
    }
    back_through_product(t, k, w, m, 0, t->l.halves == 2 ? 2 : t->l.gates, k->dh, 1);
}

/* What the recurrent product of a gate read at every step of a chunk. */
static const REAL *recurrent_operand(const Task *t, Backward *k, long gate, const REAL *slots, long chunk_rows, long steps)
{
    const int resets = t->a->cell == GRU && gate == 2;
    const REAL *mask = mask_of(t, k, gate), *h = k->h;
    if (resets) {
        for (long row = 0; row < t->unit_panels * chunk_rows; row++)
            UNITS k->dropped_h[row * NR + q] = h[row * NR + q] * slots[row * t->l.slots * NR + NR + q];
        h = k->dropped_h;
    }
    if (!mask) return h;
    drop(t, k->dropped_h, h, chunk_rows, t->units, mask, t->rows, steps);
    return k->dropped_h;
}

static void backward_to_weights(const Task *t, Backward *k, Gradients *d, const REAL *slots, long chunk_rows, long steps)
{
    const Arguments *a = t->a;
    const long slot = t->unit_panels * chunk_rows * NR;
    for (long gate = 0; gate < t->l.gates; gate++) {
        const REAL *x = input_operand(t, &k->f, gate, chunk_rows | 1, steps);
        const REAL *h = recurrent_operand(t, k, gate, slots, chunk_rows, steps);
        for (long p = 0; p < t->unit_panels; p++) {
            const long j = gate * t->unit_panels + p;
            const REAL *for_x = k->sums + gate * slot + p * chunk_rows * NR;
            const REAL *for_h = k->sums + recurrent_slot(a, gate) * slot + p * chunk_rows * NR;
            multiply_transposed(x, chunk_rows | 1, t->features, for_x, chunk_rows, d->kernel + j * t->features * NR);
            multiply_transposed(h, chunk_rows, t->units, for_h, chunk_rows, d->recurrent_kernel + j * t->units * NR);
        }
    }
}

/* The gradient of x at every step of a chunk for a group of its panels, from the first: d_x[group][chunk rows][NR]. */
static void input_gradient(const Task *t, Backward *k, const BackwardWeights *w, long first, long steps, long chunk_rows)
{
    const Arguments *a = t->a;
    const long slot = t->unit_panels * chunk_rows * NR, count = group_size(t->feature_panels, first), row = t->rows * NR;
    const long per_gate = a->input_masks && a->input_mask_count > 1;
    for (long gate = 0; gate < t->l.gates; gate++) {
        multiply(k->sums + gate * slot, chunk_rows, chunk_rows,
                 w->kernel + packed(t->feature_panels, t->l.gates, gate, first) * t->units * NR, count, t->units,
                 per_gate ? k->part_d_x : k->d_x, NR, chunk_rows * NR, !per_gate && gate, NULL, NULL);
        for (long p = 0; per_gate && p < count; p++) {
            const REAL *mask = k->f.input_masks + (gate * t->feature_panels + first + p) * row;
            for (long s = 0; s < steps; s++) {
                REAL *restrict to = k->d_x + (p * steps + s) * row;
                const REAL *restrict part = k->part_d_x + (p * steps + s) * row;
                for (long j = 0; j < row; j++) to[j] = gate ? to[j] + part[j] * mask[j] : part[j] * mask[j];
            }
        }
    }
}

static void backward_to_input(const Task *t, Backward *k, const BackwardWeights *w, long start, long steps, long chunk_rows)
{
    const Arguments *a = t->a;
    const long shared = a->input_masks && a->input_mask_count == 1;
    for (long p = 0; p < t->feature_panels; p++) {
        if (p % GROUP == 0) input_gradient(t, k, w, p, steps, chunk_rows);
        const REAL *mask = shared ? k->f.input_masks + p * t->rows * NR : NULL;
        for (long s = 0; s < steps; s++)
            for (long b = 0; b < t->rows; b++) {
                REAL *from = k->d_x + (p % GROUP * chunk_rows + s * t->rows + b) * NR;
                if (mask) UNITS from[q] *= mask[b * NR + q];
                copy((REAL *)a->d_x + row_of(t, b) * a->d_x_batch_stride + (start + s) * a->d_x_time_stride + p * NR, from,
                     width(t->features, p));
            }
    }
}

/* The steps of a chunk once more, from the states that were kept before it. */
static void compute_again(const Task *t, Backward *k, const Weights *w, const REAL *h, const REAL *c, long start, long steps)
{
    copy_rows(k->f.h, t->panel_rows, h, t->rows, t->unit_panels, t->rows);
    if (c) copy(k->f.c, c, t->state);
    forward_chunk(t, &k->f, w, start, steps, k->f.slots, k->h_steps, k->f.c_steps, 0);
}

/* One chunk back; the reserve is its own part. */
static void backward_chunk(const Task *t, Backward *k, const BackwardWeights *w, Gradients *d, Reserve r, long start,
                           long steps, const REAL *c_before)
{
    const long chunk_rows = steps * t->rows;
    const REAL *slots = r.slots ? r.slots : k->f.slots;
    k->h = r.slots ? r.h : k->h_steps;
    k->c = r.slots && r.c ? r.c : k->f.c_steps;
    if (r.slots) load_input(t, k->f.x, chunk_rows | 1, start, steps);
    else compute_again(t, k, &w->forward, r.h, r.c, start, steps);
    for (long s = steps - 1; s >= 0; s--) {
        const long at = r.c ? s * t->state : 0;
        backward_step(t, k, w, d,
                      (Moment){s, start + s, 0, chunk_rows, slots, s && r.c ? k->c + at - t->state : c_before, k->c + at});
    }
    backward_to_weights(t, k, d, slots, chunk_rows, steps);
    if (t->a->d_x) backward_to_input(t, k, w, start, steps, chunk_rows);
}

/* The c before a chunk of `t`: that of the chunk before it, which had other rows, or the first. */
static const REAL *c_before_chunk(const Task *t, Backward *k, const Task *whole, Reserve r, long start)
{
    const long earlier = start ? active_rows(whole, start - t->steps) : 0, both = earlier < t->rows ? earlier : t->rows;
    if (both < t->rows) copy_rows(k->f.c, t->rows, k->first_c, whole->rows, t->unit_panels, t->rows);
    copy_rows(k->f.c, t->rows, r.c - t->unit_panels * earlier * NR, earlier, t->unit_panels, both);
    return k->f.c;
}

static void backward_task(const Task *whole, Backward k, const BackwardWeights *w, Gradients *d)
{
    const Arguments *a = whole->a;
    Reserve r = reserve_of(whole);
    Task t = with_rows(*whole, 0);
    backward_start(whole, &k);
    const long chunks = chunks_of(a, t.steps);
    for (long chunk = 0; r.slots && chunk < chunks; chunk++) {
        const Task then = with_rows(t, active_rows(whole, chunk * t.steps));
        r = step_on(&then, r, steps_of(&t, chunk));
    }
    if (whole->late) t = backward_active(&t, &k, whole->rows, a->timesteps);
    for (long chunk = chunks - 1; chunk >= 0; chunk--) {
        const long start = chunk * t.steps, steps = steps_of(&t, chunk);
        t = backward_active(&t, &k, active_rows(whole, start), start + steps);
        if (!t.rows) continue;
        if (r.slots) r = step_on(&t, r, -steps);
        const long kept = r.slots ? 0 : chunk * whole->state;
        const Reserve own = {r.slots, r.h + kept, r.c ? r.c + kept : NULL};
        const REAL *c_before = !r.c ? k.first_c : r.slots ? c_before_chunk(&t, &k, whole, r, start) : own.c;
        backward_chunk(&t, &k, w, d, own, start, steps, c_before);
    }
    if (!whole->late) t = backward_active(&t, &k, whole->rows, 0);
    unbegin(&t, &k, 0, 0);
}

/* to[rows][width] of a weight = the sum of the threads' panels, `stride` apart. */
static void sum_panel(REAL *to, long row, const REAL *from, long rows, long w, long stride, long copies)
{
    for (long m = 0; m < rows; m++) {
        REAL sum[NR];
        UNITS sum[q] = 0;
        for (long i = 0; i < copies; i++) UNITS sum[q] += from[i * stride + m * NR + q];
        if (w == NR) copy(to + m * row, sum, NR);
        else copy(to + m * row, sum, w);
    }
}

/* The sum of all threads' gradients, in the weights' own form. */
static void backward_sum(const Task *t, const Gradients *d, long stride, long copies, long part, long parts)
{
    const Arguments *a = t->a;
    const long all = t->l.gates * t->unit_panels, row = t->l.gates * t->units;
    for (long j = share(all, part, parts); j < share(all, part + 1, parts); j++) {
        const long gate = j / t->unit_panels, p = j % t->unit_panels, column = gate * t->units + p * NR, w = width(t->units, p);
        sum_panel((REAL *)a->d_kernel + column, row, d->kernel + j * t->features * NR, t->features, w, stride, copies);
        sum_panel((REAL *)a->d_recurrent_kernel + column, row, d->recurrent_kernel + j * t->units * NR, t->units, w, stride, copies);
        if (!a->d_bias) continue;
        const REAL *bias = d->bias + p * t->l.slots * NR;
        sum_panel((REAL *)a->d_bias + column, row, bias + gate * NR, 1, w, stride, copies);
        if (a->cell == GRU_RESET_AFTER)
            sum_panel((REAL *)a->d_bias + row + column, row, bias + recurrent_slot(a, gate) * NR, 1, w, stride, copies);
    }
}
