/* Where the elements of an array are, for who reads and writes single ones. */

#ifndef ACT_VIEW_H
#define ACT_VIEW_H

#include <stddef.h>

typedef struct act_view {
    /* The first element, when there is data that is row-major without gaps. */
    void *_Nullable first;
    /* The object of Swift that holds the elements. */
    const void *_Nullable storage;
    /* Of a vector that no derivative follows, the number of elements; of every other array 0. */
    ptrdiff_t length;
    /* Of a matrix that no derivative follows, the number of columns; of every other array 0. */
    ptrdiff_t columns;
    /* The number of all elements. */
    ptrdiff_t count;
} act_view;

#endif
