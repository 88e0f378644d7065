/* Random calls of the engine cpu's C library, to be run under sanitizers: random_calls LIBRARY SEED CALLS
 *
 * Every array is a block of exactly its size; what a call must not read, or must fill, starts as NaN. Each call runs
 * twice on one instruction set and must give the same bits, finite and nothing beside them; the portable sweep must
 * agree, and in float64 gradients must agree with differences of the loss. The library's AVX-512 sweep is called on
 * every machine: sanitizers.py builds it in vectors of that width without instructions of that set.
 */
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "arrays.h"
#include "draw.h"
#include "threads.h"

/* What AddressSanitizer is told: all new memory is NaN. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "max_malloc_fill_size=1073741824:malloc_fill_byte=255"; }

typedef int Sweep(const Arguments *);
static Sweep *library_forward, *library_backward;
static int64_t (*library_reserve_size)(const Arguments *);
static int64_t (*library_stream_size)(const Arguments *);
static void (*library_stream_open)(const Arguments *, void *);
static void (*library_stream_step)(void *, const void *, int64_t, void *);
static void (*library_stream_chunk)(void *, int64_t, const void *, int64_t, int64_t, const uint8_t *, int64_t, int64_t,
                                    void *, int64_t, int64_t);
static void (*library_stream_reset)(void *, const void *, const void *, const uint8_t *);
static void (*library_stream_read)(void *, void *, void *);
static void (*library_dropout_mask)(const int64_t *, int64_t, int64_t, double, int64_t, int64_t, void *);
static int instruction_sets[3], instruction_set_count;

static void *symbol(void *library, const char *name)
{
    void *found = library ? dlsym(library, name) : NULL;
    if (!found) fprintf(stderr, "%s\n", dlerror()), exit(2);
    return found;
}

static void open_library(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    int (*best)(void) = (int (*)(void))symbol(library, "rnnspec_instruction_set");
    int (*shares)(void) = (int (*)(void))symbol(library, "rnnspec_shares_threads");
    if (!shares()) fprintf(stderr, "%s does not use our threads\n", path), exit(2);
    library_forward = (Sweep *)symbol(library, "rnnspec_forward");
    library_backward = (Sweep *)symbol(library, "rnnspec_backward");
    library_reserve_size = (int64_t (*)(const Arguments *))symbol(library, "rnnspec_reserve_size");
    *(void **)&library_stream_size = symbol(library, "rnnspec_stream_size");
    *(void **)&library_stream_open = symbol(library, "rnnspec_stream_open");
    *(void **)&library_stream_step = symbol(library, "rnnspec_stream_step");
    *(void **)&library_stream_chunk = symbol(library, "rnnspec_stream_chunk");
    *(void **)&library_stream_reset = symbol(library, "rnnspec_stream_reset");
    *(void **)&library_stream_read = symbol(library, "rnnspec_stream_read");
    *(void **)&library_dropout_mask = symbol(library, "rnnspec_dropout_mask");
    instruction_sets[instruction_set_count++] = PORTABLE;
#ifdef __x86_64__
    if (best() >= AVX2) instruction_sets[instruction_set_count++] = AVX2;
    instruction_sets[instruction_set_count++] = AVX512;
#else
    (void)best;
#endif
}

static uint64_t seed;
static long number; /* of the call */

static void fail(const Call *call, int set, const char *message)
{
    const Arguments *a = &call->a;
    const struct {
        const char *name;
        int64_t value;
    } facts[] = {
        {"cell", a->cell}, {"activation", a->activation}, {"recurrent_activation", a->recurrent_activation},
        {"is_double", a->is_double}, {"batch", a->batch}, {"timesteps", a->timesteps}, {"features", a->features},
        {"units", a->units}, {"threads", a->threads}, {"backward_threads", call->backward_threads},
        {"checkpoint_every", a->checkpoint_every}, {"return_sequences", a->return_sequences},
        {"start_with_zeros", a->start_with_zeros}, {"input_mask_count", a->input_mask_count},
        {"recurrent_mask_count", a->recurrent_mask_count}, {"masked", a->mask != NULL}, {"backwards", call->backwards},
        {"wild", call->wild}, {"seed", (int64_t)seed}, {"number", number},
    };
    fprintf(stderr, "%s: instruction set %d:", message, set);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        fprintf(stderr, " %s=%lld", facts[i].name, (long long)facts[i].value);
    fprintf(stderr, "\n");
    exit(1);
}

static void forward(const Call *call, int set, Arguments *a, Array *results)
{
    const size_t e = call->element;
    results[OUTPUT] = new_strided(a->batch, a->return_sequences ? a->timesteps : 1, a->units, e, 0, 0);
    results[FINAL_H] = new_array(a->batch, 1, a->units, e);
    if (a->cell == LSTM) results[FINAL_C] = new_array(a->batch, 1, a->units, e);
    a->output = results[OUTPUT].start, a->output_batch_stride = results[OUTPUT].row_stride;
    a->output_time_stride = a->return_sequences ? results[OUTPUT].step_stride : 0;
    a->final_h = results[FINAL_H].start, a->final_c = results[FINAL_C].start;
    a->instruction_set = set;
    if (call->keeps) a->reserve = new_block((size_t)library_reserve_size(a) * e);
    if (library_forward(a)) fail(call, set, "no memory");
}

static void backward(const Call *call, int set, Arguments *a, Array *results)
{
    const size_t e = call->element;
    const int64_t columns = gates_of(call) * a->units;
    if (call->wants_d_x) results[D_X] = new_strided(a->batch, a->timesteps, a->features, e, 0, call->backwards);
    results[D_KERNEL] = new_array(a->features, 1, columns, e);
    results[D_RECURRENT_KERNEL] = new_array(a->units, 1, columns, e);
    if (call->wants_d_bias) results[D_BIAS] = new_array(call->given[BIAS].rows, 1, columns, e);
    if (call->wants_d_h) results[D_H] = new_array(a->batch, 1, a->units, e);
    if (call->wants_d_c) results[D_C] = new_array(a->batch, 1, a->units, e);
    a->d_x = results[D_X].start;
    a->d_x_batch_stride = results[D_X].row_stride, a->d_x_time_stride = results[D_X].step_stride;
    a->d_kernel = results[D_KERNEL].start, a->d_recurrent_kernel = results[D_RECURRENT_KERNEL].start;
    a->d_bias = results[D_BIAS].start, a->d_initial_h = results[D_H].start, a->d_initial_c = results[D_C].start;
    a->threads = call->backward_threads;
    if (library_backward(a)) fail(call, set, "no memory");
}

/* Both passes; layouts of results are drawn from `layouts`, so that two runs can be compared. */
static void run(const Call *call, int set, uint64_t layouts, Array *results)
{
    const uint64_t before = generator;
    generator = layouts;
    Arguments a = call->a;
    memset(results, 0, RESULTS * sizeof *results);
    forward(call, set, &a, results);
    if (call->keeps) backward(call, set, &a, results);
    generator = before;
}

static void check_finite(const Call *call, int set, const Array *results)
{
    const size_t e = call->element;
    for (int k = 0; k < RESULTS; k++) {
        int64_t wanted = 0, found = 0;
        EACH(&results[k]) {
            wanted++;
            if (!isfinite(get(at(&results[k], e, row, step, i), e))) fail(call, set, "not finite");
        }
        for (size_t i = 0; i < results[k].bytes; i += e) found += !isnan(get(results[k].block + i, e));
        if (wanted != found) fail(call, set, "written beside the result");
    }
}

static void check_equal(const Call *call, int set, const Array *one, const Array *other)
{
    for (int k = 0; k < RESULTS; k++)
        if (one[k].bytes && memcmp(one[k].block, other[k].block, one[k].bytes)) fail(call, set, "two runs differ");
}

static void check_near(const Call *call, int set, const Array *got, const Array *want)
{
    /* A float's rounding flips the gradient of a hard sigmoid. */
    for (int k = 0; k < (call->a.is_double ? RESULTS : D_X); k++) {
        const double tolerance = call->a.is_double ? 1e-11 : 2e-5;
        double largest = 1, error = 0;
        if (got[k].bytes) EACH(&want[k]) {
            const double x = get(at(&got[k], call->element, row, step, i), call->element);
            const double y = get(at(&want[k], call->element, row, step, i), call->element);
            largest = fmax(largest, fabs(y)), error = fmax(error, fabs(x - y));
        }
        if (error > tolerance * largest) fail(call, set, "differs from the portable sweep, or a stream from it");
    }
}

static double direction(int k, int64_t row, int64_t step, int64_t i)
{
    return (double)(hash((uint64_t)(((k * 1000 + row) * 1000 + step) * 1000 + i + 1)) >> 40) / (1 << 23) - 1;
}

/* Moves everything that has a gradient. */
static void move(const Call *call, double by)
{
    for (int k = X; k <= C; k++)
        EACH(&call->given[k]) {
            char *to = at(&call->given[k], 8, row, step, i);
            put(to, 8, get(to, 8) + by * direction(k, row, step, i));
        }
}

static double product(const Array *one, const Array *other)
{
    double sum = 0;
    if (one->bytes && other->bytes)
        EACH(one) sum += get(at(one, 8, row, step, i), 8) * get(at(other, 8, row, step, i), 8);
    return sum;
}

static double loss(const Call *call, int set)
{
    Arguments a = call->a;
    Call inference = *call;
    Array results[RESULTS] = {0};
    inference.keeps = 0;
    forward(&inference, set, &a, results);
    return product(&results[OUTPUT], &call->given[D_OUTPUT]) + product(&results[FINAL_H], &call->given[D_FINAL_H]) +
           product(&results[FINAL_C], &call->given[D_FINAL_C]);
}

static int has_kink(int64_t activation)
{
    return activation == HARD_SIGMOID || activation == HARD_SIGMOID_KERAS3 || activation == RELU || activation == SELU;
}

static long differences; /* calls whose gradients were compared */

/* The loss's derivative along `direction`, by a difference. */
static double slope(const Call *call, int set, double by)
{
    move(call, by);
    const double above = loss(call, set);
    move(call, -2 * by);
    const double below_ = loss(call, set);
    move(call, by);
    return (above - below_) / (2 * by);
}

static void check_gradients(const Call *call, int set, const Array *results)
{
    static const int gradient[] = {D_X, D_KERNEL, D_RECURRENT_KERNEL, D_BIAS, D_H, D_C};
    double sum = 0, size = 1;
    for (int k = X; k <= C; k++) {
        const Array *d = &results[gradient[k]];
        if (call->given[k].bytes && !d->bytes) return;
        if (call->given[k].bytes)
            EACH(d) {
                const double part = get(at(d, 8, row, step, i), 8) * direction(k, row, step, i);
                sum += part, size += fabs(part);
            }
    }
    differences++;
    /* The curvature of softsign and elu jumps at 0: a smaller step does not meet it. */
    for (double by = 1e-5; fabs(slope(call, set, by) - sum) > 1e-6 * size; by /= 10)
        if (by < 1e-7) fail(call, set, "a gradient is not the difference of the loss");
}

/* The whole sequence through a stream, cut at random. */
static void stream_over(const Call *call, const Arguments *a, char *stream, const Array *output)
{
    const int64_t e = (int64_t)call->element;
    int64_t done = 0;
    do {
        const int64_t steps = a->timesteps ? 1 + below(a->timesteps - done) : 0;
        const int64_t step_stride = a->return_sequences ? output->step_stride : 0;
        char *to = output->start + done * step_stride * e;
        const char *x = a->x ? (const char *)a->x + done * a->x_time_stride * e : NULL;
        if (steps == 1 && !a->mask && !a->return_sequences && output->row_stride == a->units)
            library_stream_step(stream, x, a->x_batch_stride, to);
        else
            library_stream_chunk(stream, steps, x, a->x_batch_stride, a->x_time_stride,
                                 a->mask ? a->mask + done * a->mask_time_stride : NULL, a->mask_batch_stride,
                                 a->mask_time_stride, to, output->row_stride, step_stride);
        done += steps;
    } while (done < a->timesteps);
}

/* Opens a stream on copies that are freed before it runs: it must keep all that it needs. */
static char *open_stream(const Call *call, const Arguments *a)
{
    static const int read[] = {KERNEL, RECURRENT_KERNEL, BIAS, H, C, INPUT_MASKS, RECURRENT_MASKS};
    Call copy = *call;
    const int before = block_count;
    for (size_t i = 0; i < sizeof read / sizeof *read; i++) {
        Array *array = &copy.given[read[i]];
        char *block = new_block(array->bytes);
        if (block) array->start = memcpy(block, array->block, array->bytes);
    }
    name_arrays(&copy);
    copy.a.instruction_set = a->instruction_set, copy.a.checkpoint_every = 0, copy.a.x = NULL, copy.a.mask = NULL;
    void *stream;
    const size_t bytes = (size_t)library_stream_size(&copy.a);
    if (posix_memalign(&stream, 64, bytes)) fail(call, (int)a->instruction_set, "no memory for a stream");
    memset(stream, 255, bytes);
    library_stream_open(&copy.a, stream);
    free_blocks(before);
    return blocks[block_count++] = stream;
}

static void check_stream(const Call *call, int set, const Array *results)
{
    const size_t e = call->element;
    Arguments a = call->a;
    Array streamed[RESULTS] = {0};
    a.instruction_set = set;
    streamed[OUTPUT] = new_strided(a.batch, a.return_sequences ? a.timesteps : 1, a.units, e, 0, 0);
    streamed[FINAL_H] = new_array(a.batch, 1, a.units, e);
    if (a.cell == LSTM) streamed[FINAL_C] = new_array(a.batch, 1, a.units, e);
    char *stream = open_stream(call, &a);
    if (a.initial_h && (a.cell != LSTM || a.initial_c) && chance(50)) {
        stream_over(call, &a, stream, &streamed[OUTPUT]);
        library_stream_reset(stream, a.initial_h, a.initial_c, NULL);
    }
    stream_over(call, &a, stream, &streamed[OUTPUT]);
    library_stream_read(stream, streamed[FINAL_H].start, streamed[FINAL_C].start);
    check_near(call, set, streamed, results);
}

static void check_dropout_mask(const Call *call)
{
    const int64_t seed[] = {below(1LL << 32), below(1LL << 32)};
    Array mask = new_array(call->a.batch, 1, call->a.units, call->element);
    library_dropout_mask(seed, below(9), below(1LL << 32), 0.7, call->a.is_double, mask.rows * mask.width, mask.block);
    EACH(&mask) {
        const double value = get(at(&mask, call->element, row, step, i), call->element);
        if (value != 0 && fabs(value - 1 / 0.7) > 1e-6) fail(call, PORTABLE, "no mask of dropout");
    }
}

static void one_call(void)
{
    Call call = {0};
    Array results[RESULTS], again[RESULTS], reference[RESULTS];
    draw_options(&call);
    draw_sizes(&call);
    draw_arrays(&call);
    name_arrays(&call);
    const int set = instruction_sets[below(instruction_set_count)];
    const uint64_t layouts = hash(generator);
    check_dropout_mask(&call);
    run(&call, set, layouts, results);
    most_threads = 1 + (unsigned)below(3);
    run(&call, set, layouts, again);
    check_equal(&call, set, results, again);
    most_threads = 8;
    if (!call.wild && call.a.batch) {
        check_finite(&call, set, results);
        if (chance(30)) check_stream(&call, set, results);
        run(&call, PORTABLE, layouts, reference);
        check_near(&call, set, results, reference);
        const Array *x = &call.given[X];
        const int is_whole = x->row_stride && x->step_stride, has_gates = call.a.cell != SIMPLE_RNN;
        const int kinks = has_kink(call.a.activation) || (has_gates && has_kink(call.a.recurrent_activation));
        if (call.a.is_double && call.keeps && is_whole && !kinks) check_gradients(&call, set, results);
    }
    free_blocks(0);
}

int main(int count, char **words)
{
    if (count != 4) return fprintf(stderr, "usage: %s LIBRARY SEED CALLS\n", words[0]), 2;
    open_library(words[1]);
    seed = strtoull(words[2], NULL, 10);
    const long calls = strtol(words[3], NULL, 10);
    most_threads = 8;
    for (; number < calls; number++) {
        generator = hash(seed * 1000003 + (uint64_t)number + 1);
        one_call();
    }
    printf("%ld random calls of %d instruction sets, %ld of them with gradients by differences: no finding\n", calls,
           instruction_set_count, differences);
    return 0;
}
