/* How fast the sweep's tile is where its panels stay in the first cache; machine.py compiles and calls it. */
#define SUFFIX alone
#include "../rnnspec/engines/cpu/src/isa.c"

void rnnspec_parallel(void (*fn)(void *, long), void *argument, long n) { (void)fn, (void)argument, (void)n; }
void *rnnspec_memory(size_t bytes) { return malloc(bytes); }

/* One tile's columns of a panel with another panel, over at most 256 rows, again and again; returns the operations. */
__attribute__((visibility("default"))) int64_t multiply_in_cache(long rows, long times)
{
    static REAL left[256 * NR], right[256 * NR], product[TILE_ROWS * NR];
    for (long i = 0; i < 256 * NR; i++) left[i] = right[i] = 1;
    for (long i = 0; i < times; i++) multiply_transposed(left, 256, TILE_ROWS, right, rows, product);
    return (int64_t)2 * TILE_ROWS * NR * rows * times;
}
