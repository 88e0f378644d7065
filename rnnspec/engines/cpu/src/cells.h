/* The cells of rnnspec/engines/cells.py, a vector of units of one row at a time; `a` and `s` are the activations.
 *
 * g holds what a cell keeps of a step, slots NR numbers apart: before the call the gates' sums, after it their values.
 * SimpleRNN: h.  LSTM: i, f, c, o.  GRU: z, r, h; with reset after also the recurrent product of h.
 * Backward, dh holds the gradient of the new h, and becomes what of it goes straight to the old one; dg gets the
 * gradient of every slot's sum, `slot` numbers apart; db gathers them over the rows.
 */
ALWAYS_INLINE void simple_rnn_forward(const int a, REAL *g, REAL *h)
{
    const Vector new = activate(a, load(g));
    store(g, new);
    store(h, new);
}

/* The gradient of a slot's sum, where it belongs. */
ALWAYS_INLINE void put_gradient(REAL *dg, REAL *db, Vector d)
{
    store(dg, d);
    increase(db, d);
}

ALWAYS_INLINE void simple_rnn_backward(const int a, const REAL *g, REAL *dh, REAL *dg, REAL *db)
{
    put_gradient(dg, db, load(dh) * derive(a, load(g)));
    store(dh, all(0));
}

ALWAYS_INLINE void lstm_forward(const int a, const int s, REAL *g, const REAL *c_before, REAL *c, REAL *h)
{
    const Vector i = activate(s, load(g)), f = activate(s, load(g + NR));
    const Vector k = activate(a, load(g + 2 * NR)), o = activate(s, load(g + 3 * NR));
    const Vector new = f * load(c_before) + i * k;
    store(g, i);
    store(g + NR, f);
    store(g + 2 * NR, k);
    store(g + 3 * NR, o);
    store(c, new);
    store(h, o * activate(a, new));
}

ALWAYS_INLINE void lstm_backward(const int a, const int s, const REAL *g, const REAL *c_before, const REAL *c, REAL *dh,
                                 REAL *dc, REAL *dg, long slot, REAL *db)
{
    const Vector i = load(g), f = load(g + NR), k = load(g + 2 * NR), o = load(g + 3 * NR);
    const Vector t = activate(a, load(c)), d = load(dh), all_c = load(dc) + d * o * derive(a, t);
    put_gradient(dg, db, all_c * k * derive(s, i));
    put_gradient(dg + slot, db + NR, all_c * load(c_before) * derive(s, f));
    put_gradient(dg + 2 * slot, db + 2 * NR, all_c * i * derive(a, k));
    put_gradient(dg + 3 * slot, db + 3 * NR, d * t * derive(s, o));
    store(dc, all_c * f);
    store(dh, all(0));
}

/* The first half: z and r, and what the second half's product reads. */
ALWAYS_INLINE void gru_forward_gates(const int s, REAL *g, const REAL *h_before, REAL *reset_h)
{
    const Vector z = activate(s, load(g)), r = activate(s, load(g + NR));
    store(g, z);
    store(g + NR, r);
    store(reset_h, r * load(h_before));
}

ALWAYS_INLINE void gru_forward_update(const int a, REAL *g, const REAL *h_before, REAL *h)
{
    const Vector z = load(g), k = activate(a, load(g + 2 * NR));
    store(g + 2 * NR, k);
    store(h, z * load(h_before) + (1 - z) * k);
}

ALWAYS_INLINE void gru_backward_update(const int a, const int s, const REAL *g, const REAL *h_before, REAL *dh, REAL *dg,
                                       long slot, REAL *db)
{
    const Vector z = load(g), k = load(g + 2 * NR), d = load(dh);
    put_gradient(dg, db, d * (load(h_before) - k) * derive(s, z));
    put_gradient(dg + 2 * slot, db + 2 * NR, d * (1 - z) * derive(a, k));
    store(dh, d * z);
}

/* d_reset_h: the gradient of r * h_before. */
ALWAYS_INLINE void gru_backward_reset(const int s, const REAL *g, const REAL *h_before, const REAL *d_reset_h, REAL *dh,
                                      REAL *dg, long slot, REAL *db)
{
    const Vector r = load(g + NR), d = load(d_reset_h);
    put_gradient(dg + slot, db + NR, d * load(h_before) * derive(s, r));
    increase(dh, d * r);
}

ALWAYS_INLINE void gru_after_forward(const int a, const int s, REAL *g, const REAL *h_before, REAL *h)
{
    const Vector z = activate(s, load(g)), r = activate(s, load(g + NR));
    store(g, z);
    store(g + NR, r);
    increase(g + 2 * NR, r * load(g + 3 * NR));
    gru_forward_update(a, g, h_before, h);
}

ALWAYS_INLINE void gru_after_backward(const int a, const int s, const REAL *g, const REAL *h_before, REAL *dh, REAL *dg,
                                      long slot, REAL *db)
{
    gru_backward_update(a, s, g, h_before, dh, dg, slot, db);
    const Vector r = load(g + NR), dk = load(dg + 2 * slot);
    put_gradient(dg + slot, db + NR, dk * load(g + 3 * NR) * derive(s, r));
    put_gradient(dg + 3 * slot, db + 3 * NR, dk * r);
}
