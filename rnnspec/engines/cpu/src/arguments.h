/* The arguments of a call: 64-bit integers and pointers alone, so that the caller can fill an array of int64.
 *
 * Arrays are row-major; batch, time and features are those of the input. What is marked "strided" is read or written
 * through the strides beside it, counted in elements, from the first step that is processed: a negative time stride
 * runs backwards. A pointer may be null where the comment says so.
 */
#pragma once
#include <stdint.h>

enum { SIMPLE_RNN, LSTM, GRU, GRU_RESET_AFTER };                                               /* cell */
enum { LINEAR, TANH, SIGMOID, HARD_SIGMOID, HARD_SIGMOID_KERAS3, RELU, ELU, SELU, SOFTPLUS, SOFTSIGN }; /* activations */
enum { PORTABLE, AVX2, AVX512 };                                                               /* instruction set */

typedef struct {
    int64_t cell, activation, recurrent_activation;
    int64_t instruction_set;
    int64_t is_double;                          /* elements are double, not float */
    int64_t batch, timesteps, features, units;
    int64_t threads;                            /* at most */
    int64_t checkpoint_every;                   /* steps between kept states; 0: everything is kept */
    int64_t return_sequences;                   /* output is (batch, time, units), else (batch, units) */
    int64_t start_with_zeros;                   /* masked steps before the first valid one emit 0, else the initial h */

    const void *x;                              /* (batch, time, features), strided; the features lie side by side */
    int64_t x_batch_stride, x_time_stride;
    const uint8_t *mask;                        /* (batch, time), strided, 0 where masked; or null */
    int64_t mask_batch_stride, mask_time_stride;
    const void *input_masks;                    /* (count, batch, features); or null */
    int64_t input_mask_count;                   /* 1, or one a gate */
    const void *recurrent_masks;                /* (count, batch, units); or null */
    int64_t recurrent_mask_count;

    const void *kernel, *recurrent_kernel;      /* (features, gates * units), (units, gates * units) */
    const void *bias;                           /* (gates * units), with GRU_RESET_AFTER (2, gates * units); or null */
    const void *initial_h, *initial_c;          /* (batch, units); null: zeros */

    void *output;                               /* strided */
    int64_t output_batch_stride, output_time_stride;
    void *final_h, *final_c;                    /* (batch, units); final_c: LSTM alone */
    void *reserve;                              /* what backward needs, rnnspec_reserve_size elements; forward: or null */

    /* backward alone; each gradient of a result may be null */
    const void *d_output;                       /* strided */
    int64_t d_output_batch_stride, d_output_time_stride;
    const void *d_final_h, *d_final_c;
    void *d_x;                                  /* strided; or null */
    int64_t d_x_batch_stride, d_x_time_stride;
    void *d_kernel, *d_recurrent_kernel;
    void *d_bias, *d_initial_h, *d_initial_c;   /* or null */
} Arguments;

/* What is done with a stream, see stream.h. */
typedef struct {
    int64_t (*size)(const Arguments *);
    void (*open)(const Arguments *, void *stream);
    void (*run)(void *stream, const Arguments *);
    void (*reset)(void *stream, const Arguments *, const uint8_t *rows);
    void (*read)(void *stream, const Arguments *);
} Streams;

int rnnspec_forward(const Arguments *);         /* 0, or 1 where there is no memory */
int rnnspec_backward(const Arguments *);
int64_t rnnspec_reserve_size(const Arguments *);/* elements; the same for every instruction set */
int64_t rnnspec_stream_size(const Arguments *); /* bytes; they must lie at a multiple of 64 */
void rnnspec_stream_open(const Arguments *, void *stream);
void rnnspec_stream_step(void *stream, const void *x, int64_t x_batch_stride, void *output); /* (batch, units), no gaps */
void rnnspec_stream_chunk(void *stream, int64_t timesteps, const void *x, int64_t x_batch_stride, int64_t x_time_stride,
                         const uint8_t *mask, int64_t mask_batch_stride, int64_t mask_time_stride,
                         void *output, int64_t output_batch_stride, int64_t output_time_stride);
void rnnspec_stream_reset(void *stream, const void *h, const void *c, const uint8_t *rows); /* (batch, units); rows: or null */
void rnnspec_stream_read(void *stream, void *h, void *c);
/* A mask of inverted dropout, `count` elements: 0, or 1 / kept where the hash of seed and position is at least threshold. */
void rnnspec_dropout_mask(const int64_t *seed, int64_t stream, int64_t threshold, double kept, int64_t is_double,
                          int64_t count, void *to);
int rnnspec_instruction_set(void);              /* the best one that this machine runs */
int rnnspec_shares_threads(void);               /* 1 where an OpenMP runtime (torch's) is there to share: in no forked process */
