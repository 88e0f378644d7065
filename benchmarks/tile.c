/* How fast the sweep's tile is where its panels stay in the first cache; machine.py compiles and calls it. */
#define SUFFIX alone
#include "../rnnspec/engines/cpu/src/isa.c"

void rnnspec_parallel(void (*fn)(void *, long), void *argument, long n) { (void)fn, (void)argument, (void)n; }

/* Multiplies a left panel of two tiles' rows with a right one, again and again; returns the operations of all. */
__attribute__((visibility("default"))) int64_t multiply_in_cache(long sum, long times)
{
    enum { ROWS = 2 * TILE_ROWS, MOST = 256 };
    static REAL left[ROWS * MOST], right[MOST * NR], product[ROWS * NR];
    sum = sum < MOST ? sum : MOST;
    for (long i = 0; i < times; i++) multiply(left, ROWS, ROWS, right, sum, product, NR, 0, NULL, NULL);
    return (int64_t)2 * ROWS * NR * sum * times;
}
