/* A stream: weights packed once, and states that stay from call to call. It lives in memory of the caller's, which must
 * neither move nor be copied; nothing is allocated. Only one thread at a time may be in it. */
typedef struct {
    Arguments a;        /* of its making; every call has a copy with data of its own */
    Cut cut;
    Weights weights;
    Forward tasks[];    /* the states of every task are in here */
} Stream;

/* A call with fewer multiplications than this is not worth waking other threads. */
enum { PARALLEL_WORK = 1 << 21 };

static Cut stream_cut(Arguments a)
{
    a.timesteps = CHUNK_ROWS, a.checkpoint_every = 0;
    return cut_of(&a);
}

/* Hands the memory out and counts its bytes; without a stream it only counts. */
static int64_t stream_layout(const Arguments *a, Cut cut, Stream *s)
{
    const int64_t head = ((int64_t)sizeof(Stream) + cut.tasks * (int64_t)sizeof(Forward) + 63) / 64 * 64;
    Arena arena = {s ? (REAL *)((char *)s + head) : NULL, 0};
    const Task largest = largest_task(a, cut);
    const Weights weights = forward_weights(&largest, &arena);
    if (s) s->weights = weights;
    for (long i = 0; i < cut.tasks; i++) {
        const Forward f = forward_memory(&largest, &arena, 0);
        if (s) s->tasks[i] = f;
    }
    return head + arena.used * ELEMENT;
}

static int64_t stream_size(const Arguments *a) { return stream_layout(a, stream_cut(*a), NULL); }

/* Packs the weights; the states are the initial ones of the arguments. */
static void stream_open(const Arguments *a, void *memory)
{
    Stream *s = memory;
    s->a = *a, s->cut = stream_cut(*a);
    stream_layout(a, s->cut, s);
    const Task largest = largest_task(a, s->cut);
    forward_pack(&largest, &s->weights, 0, 1);
    for (long i = 0; i < s->cut.tasks; i++) {
        const Task t = task_of(a, s->cut, i);
        forward_start(&t, s->tasks + i);
    }
}

typedef struct {
    Stream *s;
    const Arguments *a;
    long parts;
} StreamCall;

static void stream_part(void *call_, long part)
{
    const StreamCall *call = call_;
    const Arguments *a = call->a;
    const unsigned before = flush_denormals();
    for (long i = part; i < call->s->cut.tasks; i += call->parts) {
        const Task t = task_of(a, call->s->cut, i);
        Forward *f = call->s->tasks + i;
        for (long b = 0; a->timesteps && !a->mask && b < t.rows; b++) f->started[b] = 1;
        for (long chunk = 0; chunk < chunks_of(a, t.steps); chunk++)
            forward_chunk(&t, f, &call->s->weights, chunk * t.steps, steps_of(&t, chunk), f->slots, NULL, NULL, 1);
        if (!a->timesteps && !a->return_sequences) emit(&t, f, 0, 0);
    }
    restore_denormals(before);
}

/* Runs over the steps of a call. */
static void stream_run(void *memory, const Arguments *a)
{
    Stream *s = memory;
    const int64_t work = a->timesteps * a->batch * (a->features + a->units) * a->units * layout_of(a).gates;
    const long parts = work < PARALLEL_WORK ? 1 : a->threads < s->cut.tasks ? a->threads : s->cut.tasks;
    StreamCall call = {s, a, parts};
    rnnspec_parallel(stream_part, &call, parts);
}

/* The states of the rows that are marked, or of all, become the initial ones of the arguments. */
static void stream_reset(void *memory, const Arguments *a, const uint8_t *rows)
{
    Stream *s = memory;
    for (long i = 0; i < s->cut.tasks; i++) {
        const Task t = task_of(a, s->cut, i);
        const Forward *f = s->tasks + i;
        const REAL *h = a->initial_h, *c = a->initial_c;
        for (long b = 0; b < t.rows; b++) {
            const long row = row_of(&t, b);
            if (rows && !rows[row]) continue;
            put_row(f->h + b * NR, t.panel_rows, h + row * t.units, t.units);
            if (t.l.states == 2) put_row(f->c + b * NR, t.rows, c + row * t.units, t.units);
            f->started[b] = 0;
        }
    }
}

/* The states into the final ones of the arguments. */
static void stream_read(void *memory, const Arguments *a)
{
    Stream *s = memory;
    for (long i = 0; i < s->cut.tasks; i++) {
        const Task t = task_of(a, s->cut, i);
        const Forward *f = s->tasks + i;
        take_rows(&t, a->final_h, f->h, t.panel_rows, 0);
        if (t.l.states == 2) take_rows(&t, a->final_c, f->c, t.rows, 0);
    }
}
