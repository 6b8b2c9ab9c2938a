/* Arithmetic with bools, texts that grow, and with arrays of few numbers where the result can take the place of an operand that nobody needs any more. */

#include "values.h"

/* Of an array of few numbers that no derivative follows, what is said above of its elements. */
static inline const act_view *few_numbers(const act_value *v) {
    if (v->tag != act_tag_array) return NULL;
    const act_view *view = view_of(v);
    bool is_plain = view->first != NULL && view->count <= few && (view->length > 0 || view->columns > 0) && type_of(v) != bool_elements;
    return is_plain ? view : NULL;
}

#define EACH_ELEMENT(T, result, x, x_step, y, y_step) \
    { \
        const T *p = (x), *q = (y); \
        T *r = (result); \
        switch (operation) { \
        case change_add: for (ptrdiff_t i = 0; i < n; i++) r[i] = p[i * (x_step)] + q[i * (y_step)]; break; \
        case change_subtract: for (ptrdiff_t i = 0; i < n; i++) r[i] = p[i * (x_step)] - q[i * (y_step)]; break; \
        case change_multiply: for (ptrdiff_t i = 0; i < n; i++) r[i] = p[i * (x_step)] * q[i * (y_step)]; break; \
        default: for (ptrdiff_t i = 0; i < n; i++) r[i] = p[i * (x_step)] / q[i * (y_step)]; break; \
        } \
        bool all = true; \
        for (ptrdiff_t i = 0; i < n; i++) all &= __builtin_fabs(r[i]) < __builtin_inf(); \
        if (!all) return false; \
    }

static bool in_place(const act_state *S, act_value *to, act_value *x, act_value *y, bool frees_x, bool frees_y, unsigned operation) {
    const act_view *u = few_numbers(x), *v = few_numbers(y);
    if (u && v) {
        if (type_of(x) != type_of(y) || u->count != v->count || u->length != v->length || u->columns != v->columns) return false;
    } else if (!(u && y->tag == act_tag_number) && !(v && x->tag == act_tag_number)) {
        return false;
    }
    act_value *place = u && frees_x && is_alone(x->object, u->storage) ? x : v && frees_y && is_alone(y->object, v->storage) ? y : NULL;
    if (!place) return false;
    const act_view *target = view_of(place);
    const ptrdiff_t n = target->count, x_step = u != NULL, y_step = v != NULL;
    if (type_of(place) == f64_elements) {
        double result[few];
        EACH_ELEMENT(double, result, u ? u->first : &x->number, x_step, v ? v->first : &y->number, y_step)
        memcpy(target->first, result, (size_t)n * sizeof *result);
    } else {
        /* A number that f32 cannot hold makes the operation one of f64. */
        float a = u ? 0 : (float)x->number, b = v ? 0 : (float)y->number, result[few];
        if ((!u && (double)a != x->number) || (!v && (double)b != y->number)) return false;
        EACH_ELEMENT(float, result, u ? u->first : &a, x_step, v ? v->first : &b, y_step)
        memcpy(target->first, result, (size_t)n * sizeof *result);
    }
    if (frees_x && x != place && x != to) act_give_up(S, x);
    if (frees_y && y != place && y != to) act_give_up(S, y);
    if (place != to) take(to, place);
    return true;
}

/* Puts a text at the end of another one, in the memory that it has, if nobody else sees that one. */
ASIDE bool act_append_text(act_value *place, const act_value *addition) {
    act_text *text = place->object;
    const act_text *more = addition->object;
    if (text->kind != 1 || more->kind != 1 || text->details || more->details || !is_unique(text)) return false;
    act_string *s = &text->string;
    const act_string t = more->string;
    /* A string of plain characters in memory of its own; the other one is such or short, or stands in the program's own memory. */
    if (s->words[1] >> 60 != 0 || s->words[0] >> 60 != 0xF || (!is_short(t) && !(t.words[0] >> 61 & 1))) return false;
    act_string_storage *storage = (act_string_storage *)(uintptr_t)s->words[1];
    const ptrdiff_t count = byte_count(*s), added = byte_count(t), room = (ptrdiff_t)(storage->room & 0xffffffffffff) - 1;
    if (storage->count != s->words[0] || added > room - count || count + added + text_footprint > text->held || !is_unique(storage)) return false;
    memcpy(storage->first + count, is_short(t) ? (const char *)t.words : string_bytes(t), (size_t)added);
    storage->first[count + added] = 0;
    storage->count += (uint64_t)added;
    s->words[0] += (uint64_t)added;
    text->is_for_readers = false;
    return true;
}

ASIDE act_outcome act_combine(
    const act_state *S, const Instruction *i, act_value *to, act_value *x, act_value *y, unsigned operation, bool has_constant) {
    double u, v, result;
    if (plain_number(x, &u) && plain_number(y, &v)) {
        if (!changed(operation, u, v, &result)) return act_not_now;
        put_number(to, result);
        return act_done;
    }
    if (x->tag == act_tag_text && (operation != change_add || has_constant || y->tag != act_tag_text)) return act_never;
    /* A variable that gets the result gives its value up, unless it is the other operand too. */
    bool is_once = has_constant || i->b_bytes != i->c_bytes;
    bool frees_x = i->flags & last_use_b || (is_once && i->a_bytes == i->b_bytes);
    bool frees_y = !has_constant && (i->flags & last_use_c || (is_once && i->a_bytes == i->c_bytes));
    if (x->tag == act_tag_text) {
        if (!frees_x) return act_never;
        if (!is_once || !act_append_text(x, y)) return act_not_now;
        if (i->flags & last_use_c) replace(y, 0, act_tag_plain);
        if (x != to) take(to, x);
        return act_done;
    }
    if (!frees_x && !frees_y) return act_never;
    return in_place(S, to, x, y, frees_x, frees_y, operation) ? act_done : act_not_now;
}
