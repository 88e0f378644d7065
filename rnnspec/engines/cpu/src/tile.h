/* Products of panels, in register tiles.
 *
 * One storage format serves every matrix: panels [ceil(columns / NR)][rows][NR], padded with zeros.
 *   - As right operand a panel is read row by row.
 *   - As left operand its columns run along the sum, and rows lie NR apart.
 *   - As transposed left operand (gradients of weights) the roles change.
 * Every address is then one base and constants.
 */

/* c[rows][NR] = or += a . b, plus `bias` [NR], where given; `scale`, laid out as c, multiplies the product. With `wide`
 * panels b they lie one after another, their results `c_panel` apart. */
ALWAYS_INLINE void tile(const int rows, const int wide, const REAL *a, long a_panel, const REAL *b, long sum, REAL *c,
                        long c_row, long c_panel, int add, const REAL *bias, const REAL *scale, const REAL *next)
{
    const int split = rows * wide == 1 ? 4 : rows * wide <= 3 ? 2 : 1; /* few sums: more at once, to hide the latency */
    const long b_panel = sum * NR;
    Vector acc[4][TILE_ROWS][2];
    UNROLL for (int u = 0; u < split; u++)
        UNROLL for (int r = 0; r < rows * wide; r++) acc[u][r][0] = acc[u][r][1] = (Vector){0};
    for (long k0 = 0; k0 < sum; k0 += NR, a += a_panel) {
        const REAL *left = a;
        const long n = sum - k0 < NR ? sum - k0 : NR;
        long k = 0;
        for (; k + split <= n; k += split, left += split, b += split * NR) {
            if (next) __builtin_prefetch(next + k0 * NR + k * NR);
            UNROLL for (int u = 0; u < split; u++)
                UNROLL for (int i = 0; i < wide; i++) {
                    const REAL *right = b + i * b_panel + u * NR;
                    const Vector b0 = *(const Vector *)right, b1 = *(const Vector *)(right + LANES);
                    UNROLL for (int r = 0; r < rows; r++) {
                        acc[u][i * rows + r][0] += b0 * left[r * NR + u];
                        acc[u][i * rows + r][1] += b1 * left[r * NR + u];
                    }
                }
        }
        for (; split > 1 && k < n; k++, left++, b += NR)
            UNROLL for (int i = 0; i < wide; i++) {
                const Vector b0 = *(const Vector *)(b + i * b_panel), b1 = *(const Vector *)(b + i * b_panel + LANES);
                UNROLL for (int r = 0; r < rows; r++) {
                    acc[0][i * rows + r][0] += b0 * left[r * NR];
                    acc[0][i * rows + r][1] += b1 * left[r * NR];
                }
            }
    }
    UNROLL for (int u = 1; u < split; u++)
        UNROLL for (int r = 0; r < rows * wide; r++) {
            acc[0][r][0] += acc[u][r][0];
            acc[0][r][1] += acc[u][r][1];
        }
    UNROLL for (int i = 0; i < wide; i++)
        UNROLL for (int r = 0; r < rows; r++)
            UNROLL for (int half = 0; half < 2; half++) {
                const long at = i * c_panel + r * c_row + half * LANES;
                Vector *to = (Vector *)(c + at), value = acc[0][i * rows + r][half];
                if (scale) value *= *(const Vector *)(scale + at);
                if (bias) value += *(const Vector *)(bias + i * NR + half * LANES);
                if (add) value += *to;
                *to = value;
            }
}

/* c[rows][NR] += a^T . b: a is [sum][NR], and the rows of c run along its columns. */
ALWAYS_INLINE void transposed_tile(const int rows, const REAL *a, const REAL *b, long sum, REAL *c)
{
    Vector acc[TILE_ROWS][2];
    UNROLL for (int r = 0; r < rows; r++) acc[r][0] = acc[r][1] = (Vector){0};
    for (long k = 0; k < sum; k++, a += NR, b += NR) {
        const Vector b0 = *(const Vector *)b, b1 = *(const Vector *)(b + LANES);
        UNROLL for (int r = 0; r < rows; r++) {
            acc[r][0] += b0 * a[r];
            acc[r][1] += b1 * a[r];
        }
    }
    UNROLL for (int r = 0; r < rows; r++)
        UNROLL for (int half = 0; half < 2; half++) *(Vector *)(c + r * NR + half * LANES) += acc[r][half];
}

/* The counts of a tile must be constants: one function for each. */
#if TILE_ROWS == 12
#define EVERY_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#else
#define EVERY_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6)
#endif
#define DEFINE(n) \
    static NEVER_INLINE void tile_##n(const REAL *a, long a_panel, const REAL *b, long sum, REAL *c, long c_row, \
                                      int add, const REAL *bias, const REAL *scale, const REAL *next) \
    { \
        if (next) tile(n, 1, a, a_panel, b, sum, c, c_row, 0, add, bias, scale, next); \
        else tile(n, 1, a, a_panel, b, sum, c, c_row, 0, add, bias, scale, NULL); \
    } \
    static NEVER_INLINE void transposed_tile_##n(const REAL *a, const REAL *b, long sum, REAL *c) \
    { transposed_tile(n, a, b, sum, c); }
EVERY_COUNT(DEFINE)
#undef DEFINE

/* One row, whose sum over one panel would wait for itself: several panels at once. */
static void row_tile(const REAL *a, long a_panel, const REAL *b, long count, long sum, REAL *c, long c_panel, int add,
                     const REAL *bias, const REAL *scale)
{
    switch (count) {
    case 1: tile(1, 1, a, a_panel, b, sum, c, 0, c_panel, add, bias, scale, NULL); break;
    case 2: tile(1, 2, a, a_panel, b, sum, c, 0, c_panel, add, bias, scale, NULL); break;
    case 3: tile(1, 3, a, a_panel, b, sum, c, 0, c_panel, add, bias, scale, NULL); break;
    default: tile(1, 4, a, a_panel, b, sum, c, 0, c_panel, add, bias, scale, NULL);
    }
}

/* Part i of `parts` near equal ones of a range. */
ALWAYS_INLINE long share(long range, long i, long parts) { return range * i / parts; }

enum { SUM_BLOCK = 256 }; /* rows of a right panel that stay in the first cache */

enum { GROUP = 4 };        /* panels that one left operand meets while it is in the second cache */

/* c[rows][NR] = or += a . b for `count` panels b, at most GROUP, one after another, whose results are `c_panel` apart;
 * a's panels have `a_rows` rows. */
static void multiply(const REAL *a, long a_rows, long rows, const REAL *b, long count, long sum, REAL *c, long c_row,
                     long c_panel, int add, const REAL *bias, const REAL *scale)
{
    if (rows == 1) {
        row_tile(a, a_rows * NR, b, count, sum, c, c_panel, add, bias, scale);
        return;
    }
    const long tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    for (long k = 0; k < sum; k += SUM_BLOCK, add = 1, bias = NULL)
        for (long j = 0; j < count; j++) {
            const long part = sum - k < SUM_BLOCK ? sum - k : SUM_BLOCK;
            const REAL *left = a + k / NR * a_rows * NR, *right = b + (j * sum + k) * NR;
            const REAL *own_bias = bias ? bias + j * NR : NULL;
            for (long i = 0; i < tiles; i++) {
                const long r = share(rows, i, tiles), at = j * c_panel + r * c_row;
                switch (share(rows, i + 1, tiles) - r) {
#define CASE(n) \
    case n: \
        tile_##n(left + r * NR, a_rows * NR, right, part, c + at, c_row, add, own_bias, scale ? scale + at : NULL, \
                 i == tiles - 1 ? right + part * NR : NULL); \
        break;
                    EVERY_COUNT(CASE)
#undef CASE
                }
            }
        }
}

/* c[columns][NR] += a^T . b, both over `sum` rows; a's panels have `a_rows` rows. */
static void multiply_transposed(const REAL *a, long a_rows, long columns, const REAL *b, long sum, REAL *c)
{
    for (long first = 0; first < columns; first += NR, a += a_rows * NR) {
        const long width = columns - first < NR ? columns - first : NR, tiles = (width + TILE_ROWS - 1) / TILE_ROWS;
        for (long i = 0; i < tiles; i++) {
            const long r = share(width, i, tiles);
            switch (share(width, i + 1, tiles) - r) {
#define CASE(n) \
    case n: \
        transposed_tile_##n(a + r, b, sum, c + (first + r) * NR); \
        break;
                EVERY_COUNT(CASE)
#undef CASE
            }
        }
    }
}
