/* What the sweep asks of the machine. */
#pragma once
#include <stddef.h>

#define HIDDEN __attribute__((visibility("hidden")))

/* Runs fn(argument, 0 .. n - 1) on torch's threads. */
HIDDEN void rnnspec_parallel(void (*fn)(void *, long), void *argument, long n);

/* A block for `free`, in large pages where it is large; null: there is none. */
HIDDEN void *rnnspec_memory(size_t bytes);
