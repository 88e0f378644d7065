/* The pointwise activations of rnnspec/engines/activations.py: the value, and the derivative from the value.
 *
 * A vector at a time. A NaN stays a NaN.
 */
#define SELU_ALPHA ((REAL)1.6732632423543772)
#define SELU_SCALE ((REAL)1.0507009873554805)

ALWAYS_INLINE Vector load(const REAL *from) { return *(const Vector *)from; }
ALWAYS_INLINE void store(REAL *to, Vector v) { *(Vector *)to = v; }
ALWAYS_INLINE void increase(REAL *to, Vector v) { *(Vector *)to += v; }
ALWAYS_INLINE Vector all(REAL x) { return x - (Vector){0}; }

/* In every lane `yes` where a comparison holds, else `no`. */
ALWAYS_INLINE Vector choose(Bits holds, Vector yes, Vector no) { return (Vector)((holds & (Bits)yes) | (~holds & (Bits)no)); }
ALWAYS_INLINE Vector magnitude(Vector x) { return (Vector)((Bits)x & ~(Bits)all(-(REAL)0)); }
ALWAYS_INLINE Vector clip(Vector x, REAL low, REAL high)
{
    x = choose(x < all(low), all(low), x);
    return choose(x > all(high), all(high), x);
}

#ifdef DOUBLE
#define MATHS(name) name
#else
#define MATHS(name) name##f
#endif
#define DEFINE(name, value) \
    static NEVER_INLINE Vector name(Vector v) \
    { \
        for (int q = 0; q < LANES; q++) { \
            const REAL x = v[q]; \
            v[q] = value; \
        } \
        return v; \
    }
DEFINE(expm1_of, MATHS(expm1)(x))
DEFINE(softplus_of, x > 40 ? x : MATHS(log1p)(MATHS(exp)(x)))
#ifdef DOUBLE
DEFINE(tanh_of, tanh(x))
DEFINE(sigmoid_of, 1 / (1 + exp(-x)))
#else
/* A rational function of x with the smallest relative error, 6e-9, up to 7.9, from where on tanh is 1 - 3e-7. */
ALWAYS_INLINE Vector tanh_of(Vector x)
{
    x = clip(x, -7.9f, 7.9f);
    const Vector y = x * x;
    const Vector p = (((1.5427737e-08f * y + 2.20230932e-05f) * y + 3.57898335e-03f) * y + 1.34506134e-01f) * y + 1.0f;
    const Vector q = (((8.5986895e-07f * y + 3.42363601e-04f) * y + 2.61922054e-02f) * y + 4.67839414e-01f) * y + 1.0f;
    return x * p / q;
}
ALWAYS_INLINE Vector sigmoid_of(Vector x) { return 0.5f + 0.5f * tanh_of(0.5f * x); }
#endif
#undef DEFINE
#undef MATHS

/* The activation of v. */
ALWAYS_INLINE Vector activate_as(const int kind, Vector v)
{
    const Vector zero = all(0);
    switch (kind) {
    case TANH: return tanh_of(v);
    case SIGMOID: return sigmoid_of(v);
    case HARD_SIGMOID: return clip((REAL)0.2 * v + (REAL)0.5, 0, 1);
    case HARD_SIGMOID_KERAS3: return clip(v + 3, 0, 6) / 6;
    case RELU: return choose(v < zero, zero, v);
    case ELU: return choose(v > zero, v, expm1_of(v));
    case SELU: return SELU_SCALE * choose(v > zero, v, SELU_ALPHA * expm1_of(v));
    case SOFTPLUS: return softplus_of(v);
    case SOFTSIGN: return v / (1 + magnitude(v));
    default: return v;
    }
}

/* The derivative of the activation whose value is v. */
ALWAYS_INLINE Vector derive_as(const int kind, Vector v)
{
    const Vector zero = all(0), one = all(1);
    switch (kind) {
    case TANH: return 1 - v * v;
    case SIGMOID: return v * (1 - v);
    case HARD_SIGMOID: return choose((v > zero) & (v < one), all((REAL)0.2), zero);
    case HARD_SIGMOID_KERAS3: return choose((v > zero) & (v < one), all((REAL)1 / 6), zero);
    case RELU: return choose(v > zero, one, zero);
    case ELU: return choose(v > zero, one, v + 1);
    case SELU: return choose(v > zero, all(SELU_SCALE), v + SELU_SCALE * SELU_ALPHA);
    case SOFTPLUS: return -expm1_of(-v);
    case SOFTSIGN: return (1 - magnitude(v)) * (1 - magnitude(v));
    default: return one;
    }
}

static NEVER_INLINE Vector activate_any(int kind, Vector v) { return activate_as(kind, v); }
static NEVER_INLINE Vector derive_any(int kind, Vector v) { return derive_as(kind, v); }

/* A kind that the compiler knows becomes part of the loop around it; any other is a call. */
#define activate(kind, v) (__builtin_constant_p(kind) ? activate_as(kind, v) : activate_any(kind, v))
#define derive(kind, v) (__builtin_constant_p(kind) ? derive_as(kind, v) : derive_any(kind, v))
