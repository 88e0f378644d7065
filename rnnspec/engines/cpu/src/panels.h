/* Rows and weights into panels and back. */

ALWAYS_INLINE long panels(long columns) { return (columns + NR - 1) / NR; }
ALWAYS_INLINE long width(long columns, long panel) { return columns - panel * NR < NR ? columns - panel * NR : NR; }
ALWAYS_INLINE void zero(REAL *to, long n) { memset(to, 0, (size_t)n * sizeof(REAL)); }
ALWAYS_INLINE void copy(REAL *to, const REAL *from, long n) { memcpy(to, from, (size_t)n * sizeof(REAL)); }

/* One row into panels of `rows` rows; null: zeros. */
static void put_row(REAL *to, long rows, const REAL *from, long columns)
{
    for (long p = 0; p < panels(columns); p++, to += rows * NR) {
        const long w = from ? width(columns, p) : 0;
        if (w == NR) copy(to, from + p * NR, NR);
        else for (long q = 0; q < NR; q++) to[q] = q < w ? from[p * NR + q] : 0;
    }
}

/* One row out of panels of `rows` rows. */
static void take_row(REAL *to, const REAL *from, long rows, long columns)
{
    for (long p = 0; p < panels(columns); p++) {
        if (width(columns, p) == NR) copy(to + p * NR, from + p * rows * NR, NR);
        else copy(to + p * NR, from + p * rows * NR, width(columns, p));
    }
}

/* The first `rows` rows of `count` panels into panels of another height. */
static void copy_rows(REAL *to, long to_height, const REAL *from, long from_height, long count, long rows)
{
    for (long p = 0; p < count; p++) copy(to + p * to_height * NR, from + p * from_height * NR, rows * NR);
}

/* `rows` rows of `count` panels to where they belong in panels of another height. */
static void move_rows(REAL *at, long count, long rows, long from_height, long to_height)
{
    for (long i = 0; i < count; i++) {
        const long p = to_height < from_height ? i : count - 1 - i; /* in the order in which nothing is overwritten */
        memmove(at + p * to_height * NR, at + p * from_height * NR, (size_t)(rows * NR) * sizeof(REAL));
    }
}

/* to[rows][NR] = the first `w` columns of a weight with rows `stride` apart. */
static void pack(REAL *to, const REAL *weight, long rows, long stride, long w)
{
    for (long k = 0; k < rows; k++) {
        if (w == NR) copy(to + k * NR, weight + k * stride, NR);
        else for (long q = 0; q < NR; q++) to[k * NR + q] = q < w ? weight[k * stride + q] : 0;
    }
}

/* to[columns][NR] = the transpose of the first `w` rows of a weight, whose rows are `stride` apart. */
static void pack_transposed(REAL *to, const REAL *weight, long columns, long stride, long w)
{
    enum { BLOCK = 8 };
    long j = 0;
    for (; w == NR && j + BLOCK <= columns; j += BLOCK)
        UNITS UNROLL for (int i = 0; i < BLOCK; i++) to[(j + i) * NR + q] = weight[q * stride + j + i];
    for (; j < columns; j++) UNITS to[j * NR + q] = q < w ? weight[q * stride + j] : 0;
}

/* Memory that is handed out piece by piece. Without a base it only counts. */
typedef struct {
    REAL *base;
    long used;
} Arena;

static REAL *take(Arena *arena, long n)
{
    REAL *piece = arena->base ? arena->base + arena->used : NULL;
    arena->used += (n + 31) / 16 * 16; /* a gap, so that no two threads' pieces share a cache line */
    return piece;
}
