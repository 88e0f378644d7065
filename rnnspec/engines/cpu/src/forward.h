/* Forward: the weights as panels, then every task over all steps. */

typedef struct {
    REAL *kernel, *recurrent_kernel; /* panels, in the order of `packed` */
    REAL *bias, *recurrent_bias;     /* [gates * unit_panels][NR]; the second of the gate h with reset after */
} Weights;

static Weights forward_weights(const Task *t, Arena *arena)
{
    const long columns = t->l.gates * t->unit_panels * NR;
    Weights w = {take(arena, columns * t->features), take(arena, columns * t->units), take(arena, columns), NULL};
    w.recurrent_bias = take(arena, t->unit_panels * NR);
    return w;
}

static void forward_pack(const Task *t, const Weights *w, long part, long parts)
{
    const Arguments *a = t->a;
    const long panels_of_all = t->l.gates * t->unit_panels, row = t->l.gates * t->units;
    const REAL *bias = a->bias, *second = bias && a->cell == GRU_RESET_AFTER ? bias + row : NULL;
    for (long i = share(panels_of_all, part, parts); i < share(panels_of_all, part + 1, parts); i++) {
        const long p = i / t->l.gates, gate = i % t->l.gates, column = gate * t->units + p * NR;
        const long j = packed(t->unit_panels, t->l.gates, gate, p);
        const long w_columns = width(t->units, p);
        pack(w->kernel + j * t->features * NR, (const REAL *)a->kernel + column, t->features, row, w_columns);
        pack(w->recurrent_kernel + j * t->units * NR, (const REAL *)a->recurrent_kernel + column, t->units, row, w_columns);
        for (long q = 0; q < NR; q++) {
            const REAL own = bias && q < w_columns ? bias[column + q] : 0;
            const REAL other = second && q < w_columns ? second[column + q] : 0;
            w->bias[j * NR + q] = gate < 2 ? own + other : own;
            if (gate == 2 && a->cell == GRU_RESET_AFTER) w->recurrent_bias[p * NR + q] = other;
        }
    }
}

typedef struct {
    REAL *x, *dropped_x, *input_masks;
    REAL *h, *next_h, *c;            /* the states; h are left operands */
    REAL *dropped_h, *reset_h, *recurrent_masks;
    REAL *slots, *c_steps;           /* of a chunk, where no reserve keeps them */
    REAL *started;                   /* a row's: whether a step was valid */
} Forward;

static Forward forward_memory(const Task *t, Arena *arena, int keeps_chunk)
{
    const Arguments *a = t->a;
    const long chunk = (t->steps * t->rows) | 1, x = chunk * t->feature_panels * NR;
    Forward f = {.x = take(arena, x)};
    if (a->input_masks) {
        f.dropped_x = take(arena, x);
        f.input_masks = take(arena, a->input_mask_count * t->rows * t->feature_panels * NR);
    }
    f.h = take(arena, t->operand);
    f.next_h = take(arena, t->operand);
    f.c = f.c_steps = take(arena, t->state); /* c_steps: an address also where a cell has no c */
    f.reset_h = take(arena, t->operand);
    if (a->recurrent_masks) {
        f.dropped_h = take(arena, a->recurrent_mask_count * t->operand);
        f.recurrent_masks = take(arena, a->recurrent_mask_count * t->operand);
    }
    if (!a->reserve || a->checkpoint_every) {
        f.slots = take(arena, t->steps * t->rows * t->l.slots * t->unit_panels * NR);
        f.c_steps = take(arena, (keeps_chunk ? t->steps : 2) * t->state);
    }
    f.started = take(arena, t->rows);
    return f;
}

static void forward_masks(const Task *t, const Forward *f)
{
    const Arguments *a = t->a;
    load_masks(t, f->input_masks, t->rows, a->input_masks, a->input_mask_count, t->features);
    load_masks(t, f->recurrent_masks, t->panel_rows, a->recurrent_masks, a->recurrent_mask_count, t->units);
}

/* The states and masks before the first step of a task. */
static void forward_start(const Task *t, Forward *f)
{
    const Arguments *a = t->a;
    zero(f->h, t->operand);
    zero(f->next_h, t->operand);
    put_rows(t, f->h, t->panel_rows, a->initial_h, t->units, 0);
    put_rows(t, f->c, t->rows, a->initial_c, t->units, 0);
    forward_masks(t, f);
    zero(f->started, t->rows);
}

/* What the input's product of a gate reads at every step of a chunk; gate after gate, from the first. */
static const REAL *input_operand(const Task *t, Forward *f, long gate, long chunk_rows, long steps)
{
    const Arguments *a = t->a;
    if (!a->input_masks) return f->x;
    if (gate == 0 || a->input_mask_count > 1)
        drop(t, f->dropped_x, f->x, chunk_rows, t->features, f->input_masks + gate * t->rows * t->feature_panels * NR, t->rows,
             steps);
    return f->dropped_x;
}

/* The input's part of every gate's sum at every step of a chunk: slots [unit_panels][rows][slots][NR]. */
static void project(const Task *t, Forward *f, const Weights *w, REAL *slots, long steps)
{
    const long rows = steps * t->rows, chunk_rows = rows | 1, l = t->l.slots * NR;
    for (long gate = 0; gate < t->l.gates; gate++) {
        const REAL *x = input_operand(t, f, gate, chunk_rows, steps);
        for (long p = 0; p < t->unit_panels; p += GROUP) {
            const long j = packed(t->unit_panels, t->l.gates, gate, p);
            multiply(x, chunk_rows, rows, w->kernel + j * t->features * NR, group_size(t->unit_panels, p), t->features,
                     slots + p * rows * l + gate * NR, l, rows * l, 0, w->bias + j * NR, NULL);
        }
    }
}

/* A vector of one row through the cell. */
ALWAYS_INLINE void forward_cell(const Task *t, const int a, const int s, long half, REAL *g, const REAL *h_before,
                                const REAL *c_before, REAL *c, REAL *h, REAL *reset_h)
{
    switch (t->a->cell) {
    case SIMPLE_RNN: simple_rnn_forward(a, g, h); break;
    case LSTM: lstm_forward(a, s, g, c_before, c, h); break;
    case GRU_RESET_AFTER: gru_after_forward(a, s, g, h_before, h); break;
    default: half == 0 ? gru_forward_gates(s, g, h_before, reset_h) : gru_forward_update(a, g, h_before, h);
    }
}

/* The usual activations become part of the loop, the others are calls. */
#define WITH_ACTIVATIONS(arguments, FUNCTION, ...) \
    do { \
        const int a_ = (int)(arguments)->activation, s_ = (int)(arguments)->recurrent_activation; \
        if (a_ == TANH && s_ == HARD_SIGMOID) FUNCTION(TANH, HARD_SIGMOID, __VA_ARGS__); \
        else if (a_ == TANH && s_ == SIGMOID) FUNCTION(TANH, SIGMOID, __VA_ARGS__); \
        else FUNCTION(a_, s_, __VA_ARGS__); \
    } while (0)

ALWAYS_INLINE void forward_rows(const int a, const int s, const Task *t, Forward *f, long half, long p, REAL *g,
                                const REAL *c_before, REAL *c)
{
    for (long b = 0; b < t->rows; b++, g += t->l.slots * NR)
        UNROLL for (int q = 0; q < NR; q += LANES) {
            const long operand = (p * t->panel_rows + b) * NR + q, state = (p * t->rows + b) * NR + q;
            forward_cell(t, a, s, half, g + q, f->h + operand, c_before + state, c + state, f->next_h + operand,
                         f->reset_h + operand);
        }
}

/* One step of all rows; slots [unit_panels][chunk rows][slots][NR], those of this step at `slots`. */
static void forward_step(const Task *t, Forward *f, const Weights *w, REAL *slots, long chunk_rows,
                         const REAL *c_before, REAL *c)
{
    const Arguments *a = t->a;
    const long l = t->l.slots * NR;
    for (long k = 0; a->recurrent_masks && k < a->recurrent_mask_count; k++)
        for (long j = 0; j < t->operand; j++)
            f->dropped_h[k * t->operand + j] = f->h[j] * f->recurrent_masks[k * t->operand + j];
    for (long half = 0; half < t->l.halves; half++) {
        const long from = half ? 2 : 0, to = t->l.halves == 2 && !half ? 2 : t->l.gates;
        if (half && a->recurrent_masks) {
            const REAL *m = f->recurrent_masks + (a->recurrent_mask_count > 1 ? 2 * t->operand : 0);
            for (long j = 0; j < t->operand; j++) f->reset_h[j] *= m[j];
        }
        for (long p = 0; p < t->unit_panels; p += GROUP) {
            const long count = group_size(t->unit_panels, p);
            REAL *g = slots + p * chunk_rows * l;
            for (long gate = from; gate < to; gate++) {
                const REAL *left = a->recurrent_masks ? f->dropped_h + (a->recurrent_mask_count > 1 ? gate * t->operand : 0) : f->h;
                const long slot = recurrent_slot(a, gate);
                multiply(half ? f->reset_h : left, t->panel_rows, t->rows,
                         w->recurrent_kernel + packed(t->unit_panels, t->l.gates, gate, p) * t->units * NR, count, t->units,
                         g + slot * NR, l, chunk_rows * l, slot == gate, slot == gate ? NULL : w->recurrent_bias + p * NR, NULL);
            }
            for (long i = p; i < p + count; i++, g += chunk_rows * l)
                WITH_ACTIVATIONS(a, forward_rows, t, f, half, i, g, c_before, c);
        }
    }
}

/* Masked rows keep their states. */
static void keep_masked(const Task *t, const Forward *f, long step, const REAL *c_before, REAL *c)
{
    for (long b = 0; t->a->mask && b < t->rows; b++) {
        if (!is_masked(t, b, step)) {
            f->started[b] = 1;
            continue;
        }
        for (long p = 0; p < t->unit_panels; p++) {
            const long operand = (p * t->panel_rows + b) * NR, state = (p * t->rows + b) * NR;
            copy(f->next_h + operand, f->h + operand, NR);
            if (t->l.states == 2) copy(c + state, c_before + state, NR);
        }
    }
}

/* The outputs of a step, from row `first` on. */
static void emit(const Task *t, const Forward *f, long first, long step)
{
    const Arguments *a = t->a;
    for (long b = first; b < t->rows; b++) {
        REAL *y = (REAL *)a->output + row_of(t, b) * a->output_batch_stride + step * a->output_time_stride;
        if (a->timesteps && a->mask && a->start_with_zeros && f->started[b] == 0) zero(y, t->units);
        else take_row(y, f->h + b * NR, t->panel_rows, t->units);
        for (long j = 0; j < t->units; j += 64 / ELEMENT) __builtin_prefetch(y + a->output_time_stride + j, 1);
    }
}

/* One chunk from the states in f. Kept where given: the h before every step, [unit_panels][rows][NR], and the c after
 * every step, [steps][state]; `emits`: whether outputs are written. */
static void forward_chunk(const Task *t, Forward *f, const Weights *w, long start, long steps, REAL *slots, REAL *h,
                          REAL *c, int emits)
{
    const Arguments *a = t->a;
    const long rows = steps * t->rows, kept = c ? steps : 2;
    c = c ? c : f->c_steps;
    load_input(t, f->x, rows | 1, start, steps);
    project(t, f, w, slots, steps);
    for (long s = 0; s < steps; s++) {
        const REAL *c_before = s ? c + (s - 1) % kept * t->state : f->c;
        REAL *c_after = c + s % kept * t->state, *new_h = f->next_h;
        if (h) copy_rows(h + s * t->rows * NR, rows, f->h, t->panel_rows, t->unit_panels, t->rows);
        forward_step(t, f, w, slots + s * t->rows * t->l.slots * NR, rows, c_before, c_after);
        keep_masked(t, f, start + s, c_before, c_after);
        f->next_h = f->h, f->h = new_h;
        if (emits && (a->return_sequences || start + s == a->timesteps - 1)) emit(t, f, 0, start + s);
    }
    if (t->l.states == 2) copy(f->c, c + (steps - 1) % kept * t->state, t->state);
}

/* Rows that have no valid step from `step` on: their states, and the outputs that repeat the last one. */
static void finish(const Task *t, const Forward *f, long first, long step)
{
    const Arguments *a = t->a;
    take_rows(t, a->final_h, f->h, t->panel_rows, first);
    if (t->l.states == 2) take_rows(t, a->final_c, f->c, t->rows, first);
    if (a->return_sequences)
        for (; step < a->timesteps; step++) emit(t, f, first, step);
    else if (step < a->timesteps || !a->timesteps)
        emit(t, f, first, step);
}

/* The states of rows that have no valid step before `step`, and the outputs that they have up to there. */
static void begin(const Task *t, const Forward *f, long first, long step)
{
    const Arguments *a = t->a;
    put_rows(t, f->h, t->panel_rows, a->initial_h, t->units, first);
    put_rows(t, f->c, t->rows, a->initial_c, t->units, first);
    for (long s = 0; a->return_sequences && s < step; s++) emit(t, f, first, s);
    if (!a->return_sequences && step == a->timesteps) emit(t, f, first, step);
}

/* The task with another number of rows, the states of those that stay moved together or apart. */
static Task forward_resize(const Task *t, const Forward *f, long rows)
{
    const Task other = with_rows(*t, rows);
    const long stay = rows < t->rows ? rows : t->rows;
    move_rows(f->h, t->unit_panels, stay, t->panel_rows, other.panel_rows);
    move_rows(f->c, t->unit_panels, stay, t->rows, other.rows);
    forward_masks(&other, f);
    return other;
}

/* The task with the rows that run in the chunk from step `start` on. */
static Task forward_active(const Task *t, const Forward *f, long active, long start)
{
    if (active == t->rows) return *t;
    if (active < t->rows) finish(t, f, active, start);
    const Task other = forward_resize(t, f, active);
    if (active > t->rows) begin(&other, f, t->rows, start);
    return other;
}

static void forward_task(const Task *whole, Forward f, const Weights *w)
{
    const Arguments *a = whole->a;
    Reserve r = reserve_of(whole);
    forward_start(whole, &f);
    Task t = with_rows(*whole, whole->late ? 0 : whole->rows);
    for (long start = 0, chunk = 0; start < a->timesteps; start += t.steps, chunk++) {
        t = forward_active(&t, &f, active_rows(whole, start), start);
        if (!t.rows) continue;
        const long steps = steps_of(&t, chunk);
        if (a->reserve && a->checkpoint_every) {
            copy_rows(r.h + chunk * whole->state, t.rows, f.h, t.panel_rows, t.unit_panels, t.rows);
            if (r.c) copy(r.c + chunk * whole->state, f.c, t.state);
        }
        if (r.slots) {
            forward_chunk(&t, &f, w, start, steps, r.slots, r.h, r.c, 1);
            r = step_on(&t, r, steps);
        } else forward_chunk(&t, &f, w, start, steps, f.slots, NULL, NULL, 1);
    }
    if (whole->late) t = forward_active(&t, &f, whole->rows, a->timesteps);
    finish(&t, &f, 0, a->timesteps);
}
