/* Runs fn(argument, 0 .. n - 1) on torch's threads. */
#pragma once
__attribute__((visibility("hidden"))) void rnnspec_parallel(void (*fn)(void *, long), void *argument, long n);
