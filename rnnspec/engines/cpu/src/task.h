/* What a call is made of: tasks of at most 64 rows, which never meet, and chunks of steps.
 *
 * The sums over the input, the gradients of x and of the weights are products over a whole chunk, whose operands are
 * then still in cache; only the recurrent product runs step by step.
 */
enum { TASK_ROWS = 64 };

typedef struct {
    long gates, slots, states, halves; /* halves: products a step that wait for each other */
} Layout;

static Layout layout_of(const Arguments *a)
{
    switch (a->cell) {
    case LSTM: return (Layout){4, 4, 2, 1};
    case GRU: return (Layout){3, 3, 1, 2};
    case GRU_RESET_AFTER: return (Layout){3, 4, 1, 1};
    default: return (Layout){1, 1, 1, 1};
    }
}

/* Where a gate's recurrent product goes: GRU with reset after keeps that of h apart. */
ALWAYS_INLINE long recurrent_slot(const Arguments *a, long gate)
{
    return a->cell == GRU_RESET_AFTER && gate == 2 ? 3 : gate;
}

/* Panels of weights lie in the order in which a step reads them: groups of columns, in a group gate after gate, and of
 * every gate the group's panels. */
ALWAYS_INLINE long group_size(long all, long first) { return all - first < GROUP ? all - first : GROUP; }
ALWAYS_INLINE long packed(long all, long gates, long gate, long p)
{
    const long first = p / GROUP * GROUP;
    return first * gates + gate * group_size(all, first) + p - first;
}

/* The head of a reserve: how forward cut the call. */
typedef struct {
    int64_t tasks, steps;
} Cut;

typedef struct {
    const Arguments *a;
    Layout l;
    long features, units, unit_panels, feature_panels;
    long first, rows;      /* of the batch */
    const int64_t *numbers, *runs; /* a row's number in the batch, and how many steps it runs; or null */
    int late;              /* whether these are its last steps, not its first */
    long panel_rows;       /* of panels that are left operands: odd, or rows of two panels would share a cache set */
    long steps;            /* of a chunk */
    long state, operand;   /* numbers in the panels of a state with `rows` and with `panel_rows` rows */
} Task;

/* With a mask the rows of a task are sorted by their steps, the most first, so those that run come first. */
ALWAYS_INLINE long row_of(const Task *t, long b) { return t->numbers ? t->numbers[b] : t->first + b; }

ALWAYS_INLINE long at_least(long n, long low) { return n < low ? low : n; }

/* Rows of the task that run in the chunk from step `start` on. */
static long active_rows(const Task *t, long start)
{
    long rows = t->rows, missed = t->late ? t->a->timesteps - start - t->steps : start;
    while (t->runs && rows && t->runs[rows - 1] <= at_least(missed, 0)) rows--;
    return rows;
}

static Cut cut_of(const Arguments *a)
{
    const long threads = a->threads < a->batch ? a->threads : a->batch;
    long tasks = (a->batch + TASK_ROWS - 1) / TASK_ROWS;
    tasks = (tasks + threads - 1) / threads * threads;
    tasks = tasks < a->batch ? tasks : a->batch;
    long steps = CHUNK_ROWS / ((a->batch + tasks - 1) / tasks);
    if (a->checkpoint_every) steps = a->checkpoint_every;
    steps = at_least(steps, 1);
    return (Cut){tasks, steps < a->timesteps ? steps : at_least(a->timesteps, 1)};
}

static Task with_rows(Task t, long rows)
{
    t.rows = rows;
    t.panel_rows = rows | 1;
    t.state = t.unit_panels * rows * NR;
    t.operand = t.unit_panels * t.panel_rows * NR;
    return t;
}

static Task task_of(const Arguments *a, Cut cut, long number)
{
    Task t = {.a = a, .l = layout_of(a), .features = a->features, .units = a->units, .steps = cut.steps};
    t.unit_panels = panels(a->units);
    t.feature_panels = panels(a->features);
    t.first = share(a->batch, number, cut.tasks);
    return with_rows(t, share(a->batch, number + 1, cut.tasks) - t.first);
}

static int descending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

/* Of every task in turn the numbers of its rows and their steps, dealt out so that all tasks have as much to do. Rows
 * run up to their last valid step, or from their first one on where that leaves out more, which is what is returned. */
static int sort_rows(const Arguments *a, Cut cut, int64_t *numbers, int64_t *runs, int64_t *keys)
{
    long left_out = 0;
    for (long row = 0; row < a->batch; row++) {
        const uint8_t *valid = a->mask + row * a->mask_batch_stride;
        long start = 0, end = a->timesteps;
        while (end && !valid[(end - 1) * a->mask_time_stride]) end--;
        while (start < a->timesteps && !valid[start * a->mask_time_stride]) start++;
        left_out += start - (a->timesteps - end);
        numbers[row] = a->timesteps - start, runs[row] = end;
    }
    const int late = left_out > 0;
    for (long row = 0; row < a->batch; row++)
        keys[row] = (late ? numbers : runs)[row] * a->batch + a->batch - 1 - row;
    qsort(keys, (size_t)a->batch, sizeof *keys, descending);
    for (long b = 0, next = 0; next < a->batch; b++)
        for (long i = 0; i < cut.tasks; i++) {
            const long first = share(a->batch, i, cut.tasks);
            if (b >= share(a->batch, i + 1, cut.tasks) - first) continue;
            numbers[first + b] = a->batch - 1 - keys[next] % a->batch;
            runs[first + b] = keys[next++] / a->batch;
        }
    return late;
}

/* The largest task, for what every thread must have room for. */
static Task largest_task(const Arguments *a, Cut cut)
{
    return with_rows(task_of(a, cut, 0), (a->batch + cut.tasks - 1) / cut.tasks);
}

/* A task's part of the reserve. Checkpoints: h and c before every chunk. Else for every step the slots, the h before
 * it and the c after it. */
typedef struct {
    REAL *slots, *h, *c;
} Reserve;

ALWAYS_INLINE long chunks_of(const Arguments *a, long steps) { return (a->timesteps + steps - 1) / steps; }
ALWAYS_INLINE long steps_of(const Task *t, long chunk)
{
    const long left = t->a->timesteps - chunk * t->steps;
    return left < t->steps ? left : t->steps;
}

static Reserve reserve_of(const Task *t)
{
    const Arguments *a = t->a;
    if (!a->reserve) return (Reserve){NULL, NULL, NULL};
    REAL *base = (REAL *)a->reserve + RESERVE_HEAD;
    const long unit_columns = t->unit_panels * NR;
    if (a->checkpoint_every) {
        const long kept = chunks_of(a, t->steps) * unit_columns;
        REAL *h = base + t->first * kept, *c = base + (a->batch + t->first) * kept;
        return (Reserve){NULL, h, t->l.states == 2 ? c : NULL};
    }
    const long all = a->timesteps * unit_columns, before = t->first * all, batch = a->batch * all;
    return (Reserve){base + before * t->l.slots, base + batch * t->l.slots + before,
                     t->l.states == 2 ? base + batch * (t->l.slots + 1) + before : NULL};
}

/* Where the reserve goes on after `steps` steps, or where it was before: -steps. */
ALWAYS_INLINE Reserve step_on(const Task *t, Reserve r, long steps)
{
    return (Reserve){r.slots + steps * t->state * t->l.slots, r.h + steps * t->state, r.c ? r.c + steps * t->state : NULL};
}

ALWAYS_INLINE int is_masked(const Task *t, long row, long step)
{
    const Arguments *a = t->a;
    return a->mask && !a->mask[row_of(t, row) * a->mask_batch_stride + step * a->mask_time_stride];
}

/* The task's rows from `first` on of an array (batch, columns) into panels of `height` rows; null: zeros. */
static void put_rows(const Task *t, REAL *to, long height, const void *array, long columns, long first)
{
    for (long b = first; b < t->rows; b++)
        put_row(to + b * NR, height, array ? (const REAL *)array + row_of(t, b) * columns : NULL, columns);
}

/* The task's rows from `first` on out of panels of a state into an array (batch, units). */
static void take_rows(const Task *t, void *array, const REAL *from, long height, long first)
{
    for (long b = first; b < t->rows; b++) take_row((REAL *)array + row_of(t, b) * t->units, from + b * NR, height, t->units);
}

/* Dropout masks of the task's rows, as panels. */
static void load_masks(const Task *t, REAL *to, long height, const void *masks, long count, long columns)
{
    for (long k = 0; masks && k < count; k++)
        put_rows(t, to + k * panels(columns) * height * NR, height, (const REAL *)masks + k * t->a->batch * columns, columns,
                 0);
}

/* The input of a chunk as panels of `chunk_rows` rows. What stands at a masked step is never read. */
static void load_input(const Task *t, REAL *to, long chunk_rows, long start, long steps)
{
    const Arguments *a = t->a;
    for (long s = 0; s < steps; s++)
        for (long b = 0; b < t->rows; b++) {
            const REAL *x = (const REAL *)a->x + row_of(t, b) * a->x_batch_stride + (start + s) * a->x_time_stride;
            put_row(to + (s * t->rows + b) * NR, chunk_rows, is_masked(t, b, start + s) ? NULL : x, t->features);
        }
}

/* to = from, which may be the same, every row of every step times its row of a mask; panels of `columns` columns. */
static void drop(const Task *t, REAL *to, const REAL *from, long chunk_rows, long columns,
                 const REAL *restrict mask, long mask_rows, long steps)
{
    for (long p = 0; p < panels(columns); p++)
        for (long s = 0; s < steps; s++) {
            const long at = (p * chunk_rows + s * t->rows) * NR;
            const REAL *m = mask + p * mask_rows * NR;
            for (long j = 0; j < t->rows * NR; j++) to[at + j] = from[at + j] * m[j];
        }
}
