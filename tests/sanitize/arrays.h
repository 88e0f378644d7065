/* Random numbers, and arrays in blocks of exactly their size. */
#pragma once
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint64_t generator;

static uint64_t hash(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static int64_t below(int64_t n) { return (int64_t)(hash(generator += 0x9e3779b97f4a7c15u) % (uint64_t)n); }
static int chance(int percent) { return below(100) < percent; }
static double uniform(void) { return (double)below(1 << 30) / (1 << 29) - 1; } /* from -1 to 1 */

/* (rows, steps, width) in a block of exactly its size; strides in elements, from the first processed step. */
typedef struct {
    int64_t rows, steps, width, row_stride, step_stride;
    size_t bytes;
    char *block, *start;
} Array;

static void *blocks[256];
static int block_count;

static char *new_block(size_t bytes)
{
    char *block = bytes ? malloc(bytes) : NULL; /* torch has no address for an empty tensor either */
    if (block) memset(block, 255, bytes);
    return blocks[block_count++] = block;
}

/* All blocks but the first ones. */
static void free_blocks(int kept)
{
    while (block_count > kept) free(blocks[--block_count]);
}

static Array new_array(int64_t rows, int64_t steps, int64_t width, size_t element)
{
    Array array = {rows, steps, width, steps * width, width, 0, NULL, NULL};
    array.bytes = (size_t)(rows * steps * width) * element;
    array.start = array.block = new_block(array.bytes);
    return array;
}

/* A tensor as users have them: transposed, a slice of another, expanded, run backwards. */
static Array new_strided(int64_t rows, int64_t steps, int64_t width, size_t element, int may_expand, int backwards)
{
    Array array = {rows, steps, width, 0, 0, 0, NULL, NULL};
    const int64_t pitch = width + (chance(30) ? 1 + below(5) : 0);
    if (chance(50)) array.step_stride = pitch, array.row_stride = steps * pitch + (chance(20) ? below(7) : 0);
    else array.row_stride = pitch, array.step_stride = rows * pitch;
    if (may_expand && chance(10)) *(chance(50) ? &array.row_stride : &array.step_stride) = 0;
    if (rows && steps)
        array.bytes = (size_t)((rows - 1) * array.row_stride + (steps - 1) * array.step_stride + width) * element;
    array.start = array.block = new_block(array.bytes);
    if (backwards && array.bytes) {
        array.start += (steps - 1) * array.step_stride * (int64_t)element;
        array.step_stride = -array.step_stride;
    }
    return array;
}

static char *at(const Array *array, size_t element, int64_t row, int64_t step, int64_t i)
{
    return array->start + (row * array->row_stride + step * array->step_stride + i) * (int64_t)element;
}

static double get(const char *from, size_t element)
{
    return element == 8 ? *(const double *)from : *(const float *)from;
}

static void put(char *to, size_t element, double value)
{
    if (element == 8) *(double *)to = value;
    else *(float *)to = (float)value;
}

#define EACH(array) \
    for (int64_t row = 0; (array)->bytes && row < (array)->rows; row++) \
        for (int64_t step = 0; step < (array)->steps; step++) \
            for (int64_t i = 0; i < (array)->width; i++)

static void fill(Array *array, Array made, size_t element, double scale)
{
    *array = made;
    EACH(array) put(at(array, element, row, step, i), element, scale * uniform());
}

/* Dropout masks: zeros and the scale of what is kept. */
static void fill_dropout(Array *array, Array made, size_t element)
{
    *array = made;
    EACH(array) put(at(array, element, row, step, i), element, chance(30) ? 0 : 1 / 0.7);
}
