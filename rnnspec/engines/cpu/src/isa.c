/* The sweep for one instruction set and one element type: compiled once for each, -DSUFFIX=f32_avx2 and so on. */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "machine.h"

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#define TILE_ROWS 12
#define CHUNK_ROWS 256
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#define TILE_ROWS 6
#define CHUNK_ROWS 192
#else
#define VECTOR_BYTES 16
#define TILE_ROWS 6
#define CHUNK_ROWS 192
#endif
#ifdef DOUBLE
typedef double REAL;
#define INTEGER int64_t
#else
typedef float REAL;
#define INTEGER int32_t
#endif

#define ELEMENT (int)sizeof(REAL)
#define LANES (VECTOR_BYTES / ELEMENT)
#define NR (2 * LANES)                  /* columns of a panel: two registers */
#define RESERVE_HEAD (512 / ELEMENT)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NEVER_INLINE __attribute__((noinline))
#define UNROLL _Pragma("GCC unroll 32")
#define UNITS for (int q = 0; q < NR; q++)
typedef REAL Vector __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));
typedef INTEGER Bits __attribute__((vector_size(VECTOR_BYTES)));

#include "tile.h"
#include "panels.h"
#include "activations.h"
#include "cells.h"
#include "task.h"
#include "forward.h"
#include "backward.h"

/* Vanishing states and gradients become denormals, which are slow: they count as 0 inside the sweep. */
#if defined(__x86_64__)
#include <xmmintrin.h>
ALWAYS_INLINE unsigned flush_denormals(void)
{
    const unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
}
ALWAYS_INLINE void restore_denormals(unsigned before) { _mm_setcsr(before); }
#else
ALWAYS_INLINE unsigned flush_denormals(void) { return 0; }
ALWAYS_INLINE void restore_denormals(unsigned before) { (void)before; }
#endif

enum { PACK, SWEEP, SUM };

typedef struct {
    const Arguments *a;
    Cut cut;
    Task largest;
    int backward, phase;
    long parts;
    int64_t *order;                     /* with a mask: the numbers of the tasks' rows, and their steps */
    int late;
    Weights weights;
    BackwardWeights backward_weights;
    REAL *memory;                       /* a thread's share of it, then the next one's */
    long per_thread;
    Gradients gradients;                /* the first thread's */
} Job;

/* A thread's own memory: gradients of the weights first. */
static Arena arena_of(const Job *job, long thread) { return (Arena){job->memory + thread * job->per_thread, 0}; }

static Task task_in(const Job *job, long i)
{
    Task t = task_of(job->a, job->cut, i);
    if (job->order) t.numbers = job->order + t.first, t.runs = t.numbers + job->a->batch, t.late = job->late;
    return t;
}

static void forward_part(const Job *job, long part)
{
    if (job->phase == PACK) {
        forward_pack(&job->largest, &job->weights, part, job->parts);
        return;
    }
    Arena arena = arena_of(job, part);
    const Forward f = forward_memory(&job->largest, &arena, 0);
    for (long i = part; i < job->cut.tasks; i += job->parts) {
        const Task t = task_in(job, i);
        forward_task(&t, f, &job->weights);
    }
}

static void backward_part(const Job *job, long part)
{
    if (job->phase == PACK) {
        backward_pack(&job->largest, &job->backward_weights, part, job->parts);
        return;
    }
    if (job->phase == SUM) {
        backward_sum(&job->largest, &job->gradients, job->per_thread, job->parts, part, job->parts);
        return;
    }
    Arena arena = arena_of(job, part);
    Gradients d = gradients_memory(&job->largest, &arena);
    zero(arena.base, arena.used);
    const Backward k = backward_memory(&job->largest, &arena);
    for (long i = part; i < job->cut.tasks; i += job->parts) {
        const Task t = task_in(job, i);
        backward_task(&t, k, &job->backward_weights, &d);
    }
}

static void run_part(void *job_, long part)
{
    const Job *job = job_;
    const unsigned before = flush_denormals();
    if (job->backward) backward_part(job, part);
    else forward_part(job, part);
    restore_denormals(before);
}

/* Asks for a block's size with a null base, then hands its pieces out. */
static long share_out(Job *job, REAL *base)
{
    Arena shared = {base, 0}, own = {NULL, 0};
    if (job->a->mask) job->order = (int64_t *)take(&shared, 3 * job->a->batch * (long)(sizeof *job->order / sizeof(REAL)));
    if (job->backward) {
        job->backward_weights = backward_weights(&job->largest, &shared);
        gradients_memory(&job->largest, &own);
        backward_memory(&job->largest, &own);
    } else {
        job->weights = forward_weights(&job->largest, &shared);
        forward_memory(&job->largest, &own, 0);
    }
    job->per_thread = (own.used + 1023) / 1024 * 1024;
    const long start = (shared.used + 1023) / 1024 * 1024;
    if (base) {
        Arena first = {job->memory = base + start, 0};
        if (job->backward) job->gradients = gradients_memory(&job->largest, &first);
    }
    return start + job->parts * job->per_thread;
}

static int run(const Arguments *a, Cut cut, int backward)
{
    Job job = {.a = a, .cut = cut, .largest = largest_task(a, cut), .backward = backward};
    job.parts = a->threads < cut.tasks ? a->threads : cut.tasks;
    REAL *memory = rnnspec_memory((size_t)share_out(&job, NULL) * sizeof(REAL));
    if (!memory) return 1;
    share_out(&job, memory);
    if (job.order) job.late = sort_rows(a, cut, job.order, job.order + a->batch, job.order + 2 * a->batch);
    for (job.phase = PACK; job.phase <= (backward ? SUM : SWEEP); job.phase++) rnnspec_parallel(run_part, &job, job.parts);
    free(memory);
    return 0;
}

#define PASTE_(name, suffix) name##_##suffix
#define PASTE(name, suffix) PASTE_(name, suffix)

int PASTE(rnnspec_forward, SUFFIX)(const Arguments *a)
{
    if (!a->batch) return 0;
    const Cut cut = cut_of(a);
    if (a->reserve) memcpy(a->reserve, &cut, sizeof cut);
    return run(a, cut, 0);
}

int PASTE(rnnspec_backward, SUFFIX)(const Arguments *a)
{
    if (!a->batch) {
        const Layout l = layout_of(a);
        const long columns = l.gates * a->units;
        zero(a->d_kernel, a->features * columns);
        zero(a->d_recurrent_kernel, a->units * columns);
        if (a->d_bias) zero(a->d_bias, (a->cell == GRU_RESET_AFTER ? 2 : 1) * columns);
        return 0;
    }
    Cut cut;
    memcpy(&cut, a->reserve, sizeof cut);
    return run(a, cut, 1);
}

#include "stream.h"

const Streams PASTE(rnnspec_streams, SUFFIX) = {stream_size, stream_open, stream_run, stream_reset, stream_read};
