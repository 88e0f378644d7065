/* An OpenMP runtime that gives fewer threads than it is asked for, as a real one may; ThreadSanitizer sees into it. */
#pragma once
#include <pthread.h>
#include <stdlib.h>

static __thread int thread_number, thread_count = 1;
static unsigned most_threads;

int omp_get_thread_num(void);
int omp_get_num_threads(void);
void GOMP_parallel(void (*)(void *), void *, unsigned, unsigned);
int omp_get_thread_num(void) { return thread_number; }
int omp_get_num_threads(void) { return thread_count; }

typedef struct {
    void (*fn)(void *);
    void *data;
    int number, count;
} Part;

static void *run_part(void *part_)
{
    const Part *part = part_;
    thread_number = part->number, thread_count = part->count;
    part->fn(part->data);
    thread_number = 0, thread_count = 1;
    return NULL;
}

void GOMP_parallel(void (*fn)(void *), void *data, unsigned asked, unsigned flags)
{
    enum { MOST = 8 };
    pthread_t threads[MOST];
    Part parts[MOST];
    (void)flags;
    const unsigned count = asked < most_threads ? asked : most_threads;
    for (unsigned i = 0; i < count; i++) {
        parts[i] = (Part){fn, data, (int)i, (int)count};
        if (i && pthread_create(&threads[i], NULL, run_part, &parts[i])) abort();
    }
    run_part(&parts[0]);
    for (unsigned i = 1; i < count; i++) pthread_join(threads[i], NULL);
}
