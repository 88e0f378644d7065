/* The entry points: the choice of the instruction set, threads, and memory. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif
#ifndef _WIN32
#include <pthread.h>
#endif

#include "arguments.h"
#include "machine.h"

#define PUBLIC __attribute__((visibility("default")))

/* Weak and not linked: they resolve to the OpenMP runtime that torch has loaded, so there is one pool of threads and
 * torch.set_num_threads rules. Without one, everything runs in the calling thread. */
extern void GOMP_parallel(void (*)(void *), void *, unsigned, unsigned) __attribute__((weak));
extern int omp_get_thread_num(void) __attribute__((weak));
extern int omp_get_num_threads(void) __attribute__((weak));

/* No pool survives a fork: a child runs in its own thread. The library may itself be opened in a child, after its parent
 * has used the pool: Linux tells whether a process was forked and has executed no other program since. */
static int is_forked;
#ifndef _WIN32
static void remember_fork(void) { is_forked = 1; }

static int was_forked(void)
{
    char text[512] = "";
    unsigned flags = 0;
    FILE *file = fopen("/proc/self/stat", "r");
    if (!file) return 0;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    const char *name_end = strrchr(text, ')');
    return name_end && sscanf(name_end, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && (flags & 0x40); /* PF_FORKNOEXEC */
}

__attribute__((constructor)) static void watch_forks(void)
{
    is_forked = was_forked();
    pthread_atfork(NULL, NULL, remember_fork);
}
#endif

PUBLIC int rnnspec_shares_threads(void)
{
    return !is_forked && GOMP_parallel && omp_get_thread_num && omp_get_num_threads;
}

typedef struct {
    void (*fn)(void *, long);
    void *argument;
    long n;
} Call;

static void run_share(void *call_)
{
    const Call *call = call_;
    for (long i = omp_get_thread_num(); i < call->n; i += omp_get_num_threads()) call->fn(call->argument, i);
}

void rnnspec_parallel(void (*fn)(void *, long), void *argument, long n)
{
    Call call = {fn, argument, n};
    if (n > 1 && rnnspec_shares_threads()) GOMP_parallel(run_share, &call, (unsigned)n, 0);
    else
        for (long i = 0; i < n; i++) fn(argument, i);
}

enum { SMALL_PAGE = 4096, LARGE_PAGE = 2 << 20 };

/* Asks for large pages: a fresh buffer of many MB otherwise costs a page fault for every 4 KB, and weights of many MB
 * a walk through the tables of pages for every few rows. */
static void want_large_pages(void *from, int64_t bytes)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    const uintptr_t start = ((uintptr_t)from + SMALL_PAGE - 1) / SMALL_PAGE * SMALL_PAGE;
    const uintptr_t end = ((uintptr_t)from + (uintptr_t)bytes) / SMALL_PAGE * SMALL_PAGE;
    if (from && bytes >= LARGE_PAGE && end > start) madvise((void *)start, end - start, MADV_HUGEPAGE);
#else
    (void)from, (void)bytes;
#endif
}

void *rnnspec_memory(size_t bytes)
{
    void *memory = NULL;
    const int large = bytes >= LARGE_PAGE / 2;
    if (large) bytes = (bytes + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    if (posix_memalign(&memory, large ? LARGE_PAGE : 64, bytes)) return NULL;
    want_large_pages(memory, (int64_t)bytes);
    return memory;
}

PUBLIC int64_t rnnspec_reserve_size(const Arguments *a)
{
    static const int64_t slots[] = {1, 4, 3, 4}, states[] = {1, 2, 1, 1};
    const int64_t line = a->is_double ? 16 : 32, columns = (a->units + line - 1) / line * line;
    const int64_t every = a->checkpoint_every, kept = every ? (a->timesteps + every - 1) / every : a->timesteps;
    return 4 * line + a->batch * kept * columns * (states[a->cell] + (every ? 0 : slots[a->cell]));
}

/* The 32-bit hash of rnnspec/nn/dropout.py. */
static uint64_t mix(uint64_t bits)
{
    bits = (bits ^ bits >> 16) * 0x21F0AAAD & 0xFFFFFFFF;
    bits = (bits ^ bits >> 15) * 0x735A2D97 & 0xFFFFFFFF;
    return bits ^ bits >> 15;
}

PUBLIC void rnnspec_dropout_mask(const int64_t *seed, int64_t stream, int64_t threshold, double kept, int64_t is_double,
                                 int64_t count, void *to)
{
    const uint64_t low = (uint64_t)seed[0], high = (uint64_t)seed[1];
    const float scale = 1 / (float)kept;
    for (int64_t i = 0; i < count; i++) {
        const uint64_t bits = mix(((mix((uint64_t)i ^ low) + (uint64_t)stream) & 0xFFFFFFFF) ^ high);
        const int stays = bits >= (uint64_t)threshold;
        if (is_double) ((double *)to)[i] = stays ? 1 / kept : 0;
        else ((float *)to)[i] = stays ? scale : 0;
    }
}

PUBLIC int rnnspec_instruction_set(void)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw"))
        return AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return AVX2;
#endif
    return PORTABLE;
}

typedef int Sweep(const Arguments *);
#define DECLARE(set) \
    Sweep rnnspec_forward_f32_##set, rnnspec_forward_f64_##set, rnnspec_backward_f32_##set, rnnspec_backward_f64_##set; \
    extern const Streams rnnspec_streams_f32_##set, rnnspec_streams_f64_##set;
#define STREAMS(set) {&rnnspec_streams_f32_##set, &rnnspec_streams_f64_##set}
#define ROW(set) {{rnnspec_forward_f32_##set, rnnspec_forward_f64_##set}, {rnnspec_backward_f32_##set, rnnspec_backward_f64_##set}}
DECLARE(portable)
#ifdef __x86_64__
DECLARE(avx2)
DECLARE(avx512)
static Sweep *const sweeps[][2][2] = {ROW(portable), ROW(avx2), ROW(avx512)};
static const Streams *const streams[][2] = {STREAMS(portable), STREAMS(avx2), STREAMS(avx512)};
#else
static Sweep *const sweeps[][2][2] = {ROW(portable)};
static const Streams *const streams[][2] = {STREAMS(portable)};
#endif

PUBLIC int rnnspec_forward(const Arguments *a)
{
    const int64_t bytes = a->is_double ? 8 : 4;
    if (a->reserve) want_large_pages(a->reserve, rnnspec_reserve_size(a) * bytes);
    if (a->return_sequences) want_large_pages(a->output, a->batch * a->timesteps * a->units * bytes);
    return sweeps[a->instruction_set][0][a->is_double](a);
}

PUBLIC int rnnspec_backward(const Arguments *a)
{
    want_large_pages(a->d_x, a->batch * a->timesteps * a->features * (a->is_double ? 8 : 4));
    return sweeps[a->instruction_set][1][a->is_double](a);
}

static const Streams *streams_of(const Arguments *a) { return streams[a->instruction_set][a->is_double]; }

PUBLIC int64_t rnnspec_stream_size(const Arguments *a) { return streams_of(a)->size(a); }

PUBLIC void rnnspec_stream_open(const Arguments *a, void *stream)
{
    want_large_pages(stream, rnnspec_stream_size(a));
    streams_of(a)->open(a, stream);
}

/* A stream begins with the arguments of its making. */
PUBLIC void rnnspec_stream_chunk(void *stream, int64_t timesteps, const void *x, int64_t x_batch_stride, int64_t x_time_stride,
                                const uint8_t *mask, int64_t mask_batch_stride, int64_t mask_time_stride,
                                void *output, int64_t output_batch_stride, int64_t output_time_stride)
{
    Arguments a = *(const Arguments *)stream;
    a.timesteps = timesteps;
    a.x = x, a.x_batch_stride = x_batch_stride, a.x_time_stride = x_time_stride;
    a.mask = mask, a.mask_batch_stride = mask_batch_stride, a.mask_time_stride = mask_time_stride;
    a.output = output, a.output_batch_stride = output_batch_stride, a.output_time_stride = output_time_stride;
    streams_of(&a)->run(stream, &a);
}

PUBLIC void rnnspec_stream_step(void *stream, const void *x, int64_t x_batch_stride, void *output)
{
    rnnspec_stream_chunk(stream, 1, x, x_batch_stride, 0, NULL, 0, 0, output, ((const Arguments *)stream)->units, 0);
}

PUBLIC void rnnspec_stream_reset(void *stream, const void *h, const void *c, const uint8_t *rows)
{
    Arguments a = *(const Arguments *)stream;
    a.initial_h = h, a.initial_c = c;
    streams_of(&a)->reset(stream, &a, rows);
}

PUBLIC void rnnspec_stream_read(void *stream, void *h, void *c)
{
    Arguments a = *(const Arguments *)stream;
    a.final_h = h, a.final_c = c;
    streams_of(&a)->read(stream, &a);
}
