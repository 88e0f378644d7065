/* The cells of rnnspec/engines/cells.py, NR units of one row at a time; `a` and `s` are the activations.
 *
 * g holds what a cell keeps of a step, NR numbers a slot: before the call the gates' sums, after it their values.
 * SimpleRNN: h.  LSTM: i, f, c, o.  GRU: z, r, h; with reset after also the recurrent product of h.
 * Backward, dh holds the gradient of the new h, and becomes what of it goes straight to the old one; dg gets the
 * gradient of every slot's sum, `slot` numbers apart; db gathers them over the rows.
 */
#define UNITS FOR_EACH(NR)

ALWAYS_INLINE void simple_rnn_forward(const int a, REAL *restrict g, REAL *restrict h)
{
    activate(a, g, NR);
    UNITS h[q] = g[q];
}

ALWAYS_INLINE void simple_rnn_backward(const int a, const REAL *restrict g, REAL *restrict dh, REAL *restrict dg,
                                       REAL *restrict db)
{
    REAL da[NR];
    derive(a, da, g, NR);
    UNITS {
        const REAL d = dh[q] * da[q];
        dg[q] = d, db[q] += d, dh[q] = 0;
    }
}

ALWAYS_INLINE void lstm_forward(const int a, const int s, REAL *restrict g, const REAL *restrict c_before,
                                REAL *restrict c, REAL *restrict h)
{
    activate(s, g, 2 * NR);
    activate(a, g + 2 * NR, NR);
    activate(s, g + 3 * NR, NR);
    UNITS {
        c[q] = g[NR + q] * c_before[q] + g[q] * g[2 * NR + q];
        h[q] = c[q];
    }
    activate(a, h, NR);
    UNITS h[q] *= g[3 * NR + q];
}

ALWAYS_INLINE void lstm_backward(const int a, const int s, const REAL *restrict g, const REAL *restrict c_before,
                                 const REAL *restrict c, REAL *restrict dh, REAL *restrict dc, REAL *restrict dg,
                                 long slot, REAL *restrict db)
{
    REAL t[NR], dt[NR], dif[2 * NR], dk[NR], dout[NR];
    UNITS t[q] = c[q];
    activate(a, t, NR);
    derive(a, dt, t, NR);
    derive(s, dif, g, 2 * NR);
    derive(a, dk, g + 2 * NR, NR);
    derive(s, dout, g + 3 * NR, NR);
    REAL *restrict di = dg, *restrict df = dg + slot, *restrict dk_sum = dg + 2 * slot, *restrict d_o = dg + 3 * slot;
    UNITS {
        const REAL all = dc[q] + dh[q] * g[3 * NR + q] * dt[q];
        const REAL i = all * g[2 * NR + q] * dif[q], f = all * c_before[q] * dif[NR + q];
        const REAL k = all * g[q] * dk[q], o = dh[q] * t[q] * dout[q];
        dc[q] = all * g[NR + q], dh[q] = 0;
        di[q] = i, df[q] = f, dk_sum[q] = k, d_o[q] = o;
        db[q] += i, db[NR + q] += f, db[2 * NR + q] += k, db[3 * NR + q] += o;
    }
}

/* The first half: z and r, and what the second half's product reads. */
ALWAYS_INLINE void gru_forward_gates(const int s, REAL *restrict g, const REAL *restrict h_before,
                                     REAL *restrict reset_h)
{
    activate(s, g, 2 * NR);
    UNITS reset_h[q] = g[NR + q] * h_before[q];
}

ALWAYS_INLINE void gru_forward_update(const int a, REAL *restrict g, const REAL *restrict h_before, REAL *restrict h)
{
    activate(a, g + 2 * NR, NR);
    UNITS h[q] = g[q] * h_before[q] + (1 - g[q]) * g[2 * NR + q];
}

ALWAYS_INLINE void gru_backward_update(const int a, const int s, const REAL *restrict g,
                                       const REAL *restrict h_before, REAL *restrict dh, REAL *restrict dg, long slot,
                                       REAL *restrict db)
{
    REAL ds[NR], da[NR];
    derive(s, ds, g, NR);
    derive(a, da, g + 2 * NR, NR);
    REAL *restrict dz = dg, *restrict dk = dg + 2 * slot;
    UNITS {
        const REAL z = dh[q] * (h_before[q] - g[2 * NR + q]) * ds[q], k = dh[q] * (1 - g[q]) * da[q];
        dz[q] = z, dk[q] = k, dh[q] *= g[q];
        db[q] += z, db[2 * NR + q] += k;
    }
}

/* d_reset_h: the gradient of r * h_before. */
ALWAYS_INLINE void gru_backward_reset(const int s, const REAL *restrict g, const REAL *restrict h_before,
                                      const REAL *restrict d_reset_h, REAL *restrict dh, REAL *restrict dg, long slot,
                                      REAL *restrict db)
{
    REAL ds[NR];
    derive(s, ds, g + NR, NR);
    REAL *restrict dr = dg + slot;
    UNITS {
        const REAL r = d_reset_h[q] * h_before[q] * ds[q];
        dr[q] = r, db[NR + q] += r, dh[q] += d_reset_h[q] * g[NR + q];
    }
}

ALWAYS_INLINE void gru_after_forward(const int a, const int s, REAL *restrict g, const REAL *restrict h_before,
                                     REAL *restrict h)
{
    activate(s, g, 2 * NR);
    UNITS g[2 * NR + q] += g[NR + q] * g[3 * NR + q];
    gru_forward_update(a, g, h_before, h);
}

ALWAYS_INLINE void gru_after_backward(const int a, const int s, const REAL *restrict g,
                                      const REAL *restrict h_before, REAL *restrict dh, REAL *restrict dg, long slot,
                                      REAL *restrict db)
{
    REAL ds[NR];
    gru_backward_update(a, s, g, h_before, dh, dg, slot, db);
    derive(s, ds, g + NR, NR);
    REAL *restrict dr = dg + slot, *restrict dk = dg + 2 * slot, *restrict dp = dg + 3 * slot;
    UNITS {
        const REAL r = dk[q] * g[3 * NR + q] * ds[q], p = dk[q] * g[NR + q];
        dr[q] = r, dp[q] = p, db[NR + q] += r, db[3 * NR + q] += p;
    }
}
