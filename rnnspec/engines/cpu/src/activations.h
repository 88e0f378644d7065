/* The pointwise activations of rnnspec/engines/activations.py: the value, and the derivative from the value.
 *
 * Plain loops over numbers, which the compiler turns into vectors. A NaN stays a NaN.
 */
#define SELU_ALPHA ((REAL)1.6732632423543772)
#define SELU_SCALE ((REAL)1.0507009873554805)

/* exp(x) - 1 for x >= 0, up to the largest argument that tanh needs. */
ALWAYS_INLINE float expm1_of_positive(float x)
{
    float r = x * 1.44269504088896341f + 12582912.0f; /* round(x / ln 2) in the low bits */
    int bits;
    memcpy(&bits, &r, 4);
    bits = (int)((unsigned)(bits - 0x4B400000 + 127) << 23);
    float power;
    memcpy(&power, &bits, 4);
    r -= 12582912.0f;
    float f = x - r * 0.693145751953125f;
    f -= r * 1.42860682030941723212e-6f;
    float p = 1.9875691500e-4f * f + 1.3981999507e-3f;
    p = p * f + 8.3334519073e-3f;
    p = p * f + 4.1665795894e-2f;
    p = p * f + 1.6666665459e-1f;
    p = p * f + 5.0000001201e-1f;
    p = p * (f * f) + f;
    return p * power + (power - 1);
}

#ifdef DOUBLE
ALWAYS_INLINE REAL tanh_of(REAL x) { return tanh(x); }
ALWAYS_INLINE REAL expm1_of(REAL x) { return expm1(x); }
ALWAYS_INLINE REAL sigmoid_of(REAL x) { return 1 / (1 + exp(-x)); }
ALWAYS_INLINE REAL softplus_of(REAL x) { return x > 40 ? x : log1p(exp(x)); }
ALWAYS_INLINE REAL magnitude(REAL x) { return fabs(x); }
#else
/* t / (t + 2) with t = exp(2 |x|) - 1, the sign put back. */
ALWAYS_INLINE REAL tanh_of(REAL x)
{
    float a = x < 0 ? -x : x;
    a = a > 9.1f ? 9.1f : a;
    const float t = expm1_of_positive(2 * a);
    return copysignf(t / (t + 2), x);
}
ALWAYS_INLINE REAL expm1_of(REAL x) { return expm1f(x); }
ALWAYS_INLINE REAL sigmoid_of(REAL x) { return 0.5f + 0.5f * tanh_of(0.5f * x); }
ALWAYS_INLINE REAL softplus_of(REAL x) { return x > 40 ? x : log1pf(expf(x)); }
ALWAYS_INLINE REAL magnitude(REAL x) { return fabsf(x); }
#endif

ALWAYS_INLINE REAL clip(REAL x, REAL low, REAL high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

#define FOR_EACH(n) for (int q = 0; q < (n); q++)

/* v[n] = the activation of v[n]. */
ALWAYS_INLINE void activate_as(const int kind, REAL *restrict v, const int n)
{
    switch (kind) {
    case LINEAR: break;
    case TANH: FOR_EACH(n) v[q] = tanh_of(v[q]); break;
    case SIGMOID: FOR_EACH(n) v[q] = sigmoid_of(v[q]); break;
    case HARD_SIGMOID: FOR_EACH(n) v[q] = clip((REAL)0.2 * v[q] + (REAL)0.5, 0, 1); break;
    case HARD_SIGMOID_KERAS3: FOR_EACH(n) v[q] = clip(v[q] + 3, 0, 6) / 6; break;
    case RELU: FOR_EACH(n) v[q] = v[q] < 0 ? 0 : v[q]; break;
    case ELU: FOR_EACH(n) v[q] = v[q] > 0 ? v[q] : expm1_of(v[q]); break;
    case SELU: FOR_EACH(n) v[q] = SELU_SCALE * (v[q] > 0 ? v[q] : SELU_ALPHA * expm1_of(v[q])); break;
    case SOFTPLUS: FOR_EACH(n) v[q] = softplus_of(v[q]); break;
    case SOFTSIGN: FOR_EACH(n) v[q] = v[q] / (1 + magnitude(v[q])); break;
    }
}

/* d[n] = the derivative of the activation whose value is v[n]. */
ALWAYS_INLINE void derive_as(const int kind, REAL *restrict d, const REAL *restrict v, const int n)
{
    switch (kind) {
    case LINEAR: FOR_EACH(n) d[q] = 1; break;
    case TANH: FOR_EACH(n) d[q] = 1 - v[q] * v[q]; break;
    case SIGMOID: FOR_EACH(n) d[q] = v[q] * (1 - v[q]); break;
    case HARD_SIGMOID: FOR_EACH(n) d[q] = (v[q] > 0 ? (REAL)0.2 : 0) * (REAL)(v[q] < 1 ? 1 : 0); break;
    case HARD_SIGMOID_KERAS3: FOR_EACH(n) d[q] = (v[q] > 0 ? (REAL)1 / 6 : 0) * (REAL)(v[q] < 1 ? 1 : 0); break;
    case RELU: FOR_EACH(n) d[q] = v[q] > 0 ? 1 : 0; break;
    case ELU: FOR_EACH(n) d[q] = v[q] > 0 ? 1 : v[q] + 1; break;
    case SELU: FOR_EACH(n) d[q] = v[q] > 0 ? SELU_SCALE : v[q] + SELU_SCALE * SELU_ALPHA; break;
    case SOFTPLUS: FOR_EACH(n) d[q] = -expm1_of(-v[q]); break;
    case SOFTSIGN: FOR_EACH(n) d[q] = (1 - magnitude(v[q])) * (1 - magnitude(v[q])); break;
    }
}

static NEVER_INLINE void activate_any(int kind, REAL *v, int n) { activate_as(kind, v, n); }
static NEVER_INLINE void derive_any(int kind, REAL *d, const REAL *v, int n) { derive_as(kind, d, v, n); }

/* A kind that the compiler knows becomes part of the loop around it; any other is a call. */
#define activate(kind, v, n) (__builtin_constant_p(kind) ? activate_as(kind, v, n) : activate_any(kind, v, n))
#define derive(kind, d, v, n) (__builtin_constant_p(kind) ? derive_as(kind, d, v, n) : derive_any(kind, d, v, n))
