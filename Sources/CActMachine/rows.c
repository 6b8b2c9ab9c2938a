/* Rows of matrices, and products of two vectors: what loops over the rows of an array do at every step. A row of few numbers is copied into an
   array that the program has given up, so that nothing is made for it.

   What must stay true: an array is laid by only if nobody else holds it or its elements, and it has no more memory than few numbers take. */

#include "values.h"
#include "CActKernels.h"

/* Bytes of an element. */
static inline size_t size_of(uint8_t type) { return type == f64_elements ? sizeof(double) : type == f32_elements ? sizeof(float) : 1; }

static inline void **place_for(const act_state *S, ptrdiff_t length) { return S->spares + (length & (act_spare_count - 1)); }

/* Whether nobody else sees an array, which is a vector of so many elements of a type. */
static inline bool is_free_vector(const act_node *node, ptrdiff_t length, uint8_t type) {
    const act_view *view = &node->view;
    return view->length == length && node->type == type && view->first != NULL && is_alone(node, view->storage);
}

ASIDE void act_give_up(const act_state *S, act_value *v) {
    if (v->tag == act_tag_array) {
        act_node *node = v->object;
        const ptrdiff_t length = node->view.length;
        if (length > 0 && length <= few && is_free_vector(node, length, node->type)
            && ((const act_storage *)node->view.storage)->byte_count <= (ptrdiff_t)(few * sizeof(double))) {
            void **place = place_for(S, length), *old = *place;
            *place = node;
            v->bits = 0;
            v->tag = act_tag_plain;
            if (old) release(old, act_tag_array);
            return;
        }
    }
    if (is_object(v->tag)) replace(v, 0, act_tag_plain);
}

ASIDE bool act_take_row(const act_state *S, act_value *to, const act_value *matrix, double index) {
    const act_node *source = matrix->object;
    const act_view *view = &source->view;
    const ptrdiff_t columns = view->columns, row = position_in(index, source->shape->first[0]);
    if (row < 0) return false;
    const size_t bytes = (size_t)columns * size_of(source->type);
    const char *elements = (const char *)view->first + (size_t)row * bytes;
    /* A variable that gets row after row keeps its array. */
    act_node *node = to->object;
    if (to->tag == act_tag_array && node != source && is_free_vector(node, columns, source->type)) {
        memcpy(node->view.first, elements, bytes);
        return true;
    }
    void **place = place_for(S, columns);
    node = *place;
    if (node == NULL || !is_free_vector(node, columns, source->type)) return false;
    *place = NULL;
    memcpy(node->view.first, elements, bytes);
    replace(to, (uint64_t)(uintptr_t)node, act_tag_array);
    return true;
}

/* How many products a kernel adds up in one piece: longer vectors are taken in parts. */
enum { longest_piece = 1 << 15 };

ASIDE bool act_dot(const act_state *S, act_value *to, act_value *x, act_value *y, bool frees_x, bool frees_y) {
    const act_view *u = view_of(x), *v = view_of(y);
    if (u->length != v->length || u->length > longest_piece || !u->first || !v->first || type_of(x) != type_of(y)) return false;
    double result;
    switch (type_of(x)) {
    case f64_elements: result = act_kernels()->dot_f64(u->first, v->first, (size_t)u->length); break;
    case f32_elements: result = (float)act_kernels()->dot_f32(u->first, v->first, (size_t)u->length); break;
    default: return false;
    }
    if (!is_finite(result)) return false;
    if (frees_x) act_give_up(S, x);
    if (frees_y) act_give_up(S, y);
    put_number(to, result);
    return true;
}
