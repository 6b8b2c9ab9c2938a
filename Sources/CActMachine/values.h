/* What the machine's loop and the built-ins that are answered in C do with values: how they are held, read and changed in place.

   What must stay true:
   - What is changed in place nobody else sees.
   - Texts, lists and records belong to the thread that runs their program, so their references are counted without locks; arrays and functions
     may be held by other threads. (The letters that all programs share are never freed: see `Text.letters`.) */

#ifndef ACT_VALUES_H
#define ACT_VALUES_H

#include "Run.h"
#include "ActScalar.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>
#ifdef __x86_64__
#include <emmintrin.h>
#endif

/* The runtime library of Swift. */
extern void *swift_retain(void *object);
extern void swift_release(void *object);
extern void *swift_nonatomic_retain(void *object);
extern void swift_nonatomic_release(void *object);
extern uint64_t _swiftEmptyArrayStorage[];

enum { last_use_b = 1, last_use_c = 2, left_to_swift = 0x80 };

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
/* What takes longer to call than to do. */
#define INLINE static inline __attribute__((always_inline))
/* What the loop seldom calls. Such a call leaves the loop's registers alone, so that the loop need not keep what it works with out of their way:
   else every instruction would begin by moving it. (What is called saves them, so it is nothing for what is called often.) */
#define ASIDE __attribute__((noinline, preserve_most, unused))

enum { bool_elements, f32_elements, f64_elements };
enum { few = act_few };

static inline bool is_object(uint8_t tag) { return (uint8_t)(tag - act_tag_text) <= act_tag_gathering - act_tag_text; }

/* Whether no other thread holds objects of that kind. */
static inline bool is_own(uint8_t tag) {
    return (1 << act_tag_text | 1 << act_tag_list | 1 << act_tag_record | 1 << act_tag_gathering) >> tag & 1;
}

static ASIDE void retain_by_library(void *object, uint8_t tag) { if (is_own(tag)) swift_nonatomic_retain(object); else swift_retain(object); }

static ASIDE void release_by_library(void *object, uint8_t tag) { if (is_own(tag)) swift_nonatomic_release(object); else swift_release(object); }

/* (What is never freed has the count of the array of nothing.) */
INLINE bool is_kept_forever(const void *object) { return ((const uint64_t *)object)[1] == _swiftEmptyArrayStorage[1]; }

/* The second word of an object counts who holds it: how many more than one from bit 33 on. Bit 63 says that there is more to it, bit 32 that the
   object is ending; the lower half counts others. (A test compares.) What is not plain is left to the runtime library. */
INLINE void retain(void *object, uint8_t tag) {
    uint64_t *count = (uint64_t *)object + 1, more = *count + ((uint64_t)1 << 33);
    if (is_own(tag) && (int64_t)*count >= 0 && (int64_t)more >= 0) *count = more; else if (!is_kept_forever(object)) retain_by_library(object, tag);
}

INLINE void release(void *object, uint8_t tag) {
    uint64_t *count = (uint64_t *)object + 1;
    if (is_own(tag) && (int64_t)*count >= (int64_t)1 << 33) *count -= (uint64_t)1 << 33;
    else if (!is_kept_forever(object)) release_by_library(object, tag);
}

/* Whether an object has one holder. */
static inline bool is_unique(const void *object) { return __atomic_load_n((const uint64_t *)object + 1, __ATOMIC_RELAXED) >> 32 == 0; }

/* Gives a place a value that it owns from now on. */
INLINE void replace(act_value *to, uint64_t bits, uint8_t tag) {
    void *old = to->object;
    uint8_t old_tag = to->tag;
    to->bits = bits;
    to->tag = tag;
    if (is_object(old_tag)) release(old, old_tag);
}

static ASIDE void put_number_over_other(act_value *to, double x) {
    act_value value;
    value.number = x;
    replace(to, value.bits, act_tag_number);
}

INLINE void put_number(act_value *to, double x) {
    if (likely(to->tag == act_tag_number)) to->number = x; else put_number_over_other(to, x);
}

/* Gives up what registers hold. */
INLINE void clear(act_value *first, ptrdiff_t count) {
    for (act_value *v = first; v < first + count; v++) if (is_object(v->tag)) replace(v, 0, act_tag_plain);
}

static inline void put_bool(act_value *to, bool x) { replace(to, x, act_tag_bool); }

INLINE void copy_other(act_value *to, const act_value *from) {
    if (is_object(from->tag)) retain(from->object, from->tag);
    replace(to, from->bits, from->tag);
}

INLINE void copy(act_value *to, const act_value *from) {
    if (likely(from->tag == act_tag_number)) return put_number(to, from->number);
    copy_other(to, from);
}

/* As `copy_other`, from a place that is not read any more. */
INLINE void take_other(act_value *to, act_value *from) {
    uint64_t bits = from->bits;
    uint8_t tag = from->tag;
    from->bits = 0;
    from->tag = act_tag_plain;
    replace(to, bits, tag);
}

INLINE void take(act_value *to, act_value *from) {
    if (likely(from->tag == act_tag_number)) return put_number(to, from->number);
    take_other(to, from);
}

static inline bool has_no_value(const act_value *v) { return v->tag == act_tag_plain && v->bits == 1; }

/* x - x is NaN where x is not finite: that costs less than comparing with infinity. */
static inline bool is_finite(double x) {
    double difference = x - x;
    return difference == difference;
}

static ASIDE ptrdiff_t other_position(double x, ptrdiff_t count) { return act_position(x, count); }

/* `act_position`, quickly where x counts from the start. */
INLINE ptrdiff_t position_in(double x, ptrdiff_t count) {
#ifdef __x86_64__
    /* (Of what does not fit the processor makes the smallest number.) */
    int64_t i = _mm_cvttsd_si64(_mm_set_sd(x));
    if (likely((uint64_t)i < (uint64_t)count && (double)i == x)) return i;
#endif
    return other_position(x, count);
}

static inline const act_view *view_of(const act_value *v) { return &((const act_node *)v->object)->view; }
static inline uint8_t type_of(const act_value *v) { return ((const act_node *)v->object)->type; }

static inline void put_element(act_value *to, const void *elements, uint8_t type, ptrdiff_t position) {
    switch (type) {
    case f64_elements: return put_number(to, ((const double *)elements)[position]);
    case f32_elements: return put_number(to, (double)((const float *)elements)[position]);
    default: return put_bool(to, ((const uint8_t *)elements)[position]);
    }
}

/* Where the element of a matrix at two indices is; -1 for negative rows, which are left to Swift, and where there is none. */
static inline ptrdiff_t matrix_position(const act_view *view, double row, double column) {
    ptrdiff_t place = position_in(column, view->columns);
    /* No row is out of range whose first element is in it. */
    ptrdiff_t i = position_in(row, view->count), position;
    if (place < 0 || i < 0 || row < 0 || __builtin_mul_overflow(i, view->columns, &position)) return -1;
    return position + place < view->count ? position + place : -1;
}

/* `Instruction.Change`: what becomes of an element or field. */
enum { change_store, change_add, change_subtract, change_multiply, change_divide };

static inline bool changed(unsigned change, double old, double value, double *result) {
    switch (change) {
    case change_store: *result = value; return true;
    case change_add: *result = old + value; break;
    case change_subtract: *result = old - value; break;
    case change_multiply: *result = old * value; break;
    case change_divide: *result = old / value; break;
    default: return false;
    }
    return is_finite(*result);
}

/* Whether an object and what it holds its content in have no other holder. */
static inline bool is_alone(const void *object, const void *content) {
    return is_unique(object) && is_unique(content);
}

/* Changes an element of the array in a place, if nobody else sees it. */
static inline bool change_element(act_value *place, ptrdiff_t position, unsigned change, double value) {
    const act_view *view = view_of(place);
    if (!is_alone(place->object, view->storage)) return false;
    double result;
    switch (type_of(place)) {
    case f64_elements: {
        double *element = (double *)view->first + position;
        if (!changed(change, *element, value, &result)) return false;
        *element = result;
        return true;
    }
    case f32_elements: {
        float *element = (float *)view->first + position;
        if (!changed(change, *element, value, &result)) return false;
        float narrow = (float)result;
        /* What becomes infinite on the way has to warn. */
        if (isinf(narrow) && !isinf(result)) return false;
        *element = narrow;
        return true;
    }
    default:
        if (change != change_store) return false;
        ((uint8_t *)view->first)[position] = value != 0;
        return true;
    }
}

/* The number in a place, or 0 or 1 of a bool. */
static inline double plain(const act_value *v) { return likely(v->tag == act_tag_number) ? v->number : (double)(v->bits & 1); }

static inline bool plain_number(const act_value *v, double *number) {
    *number = plain(v);
    return v->tag <= act_tag_number;
}

/* Changes an element of a list or a field of a record, both of which nobody else sees. What is nested itself is left to Swift, which counts how
   deep. */
INLINE bool change_other_part(act_value *part, unsigned change, act_value *value, bool is_last) {
    if (change == change_store) {
        if (value->tag >= act_tag_list && value->tag <= act_tag_function) return false;
        if (is_last) take(part, value); else copy(part, value);
        return true;
    }
    double result;
    if (part->tag != act_tag_number || value->tag != act_tag_number || !changed(change, part->number, value->number, &result)) return false;
    part->number = result;
    return true;
}

INLINE bool change_part(act_value *part, unsigned change, act_value *value, bool is_last) {
    double result;
    if (unlikely(part->tag != act_tag_number || value->tag != act_tag_number)) return change_other_part(part, change, value, is_last);
    if (!changed(change, part->number, value->number, &result)) return false;
    part->number = result;
    return true;
}

/* What became of an instruction: it is done, it is left to Swift this time, or Swift does it from now on. Where it is not done, nothing has
   happened. */
typedef enum act_outcome { act_done, act_not_now, act_never } act_outcome;

/* Arithmetic of other operands than two numbers: R[a] = R[b] op R[c], or op a constant, as an instruction says. */
ASIDE act_outcome act_combine(
    const act_state *S, const Instruction *i, act_value *to, act_value *x, act_value *y, unsigned operation, bool has_constant);

/* Empties a place whose value is not needed any more; an array of few numbers that nobody else holds is laid by for the next row. */
ASIDE void act_give_up(const act_state *S, act_value *v);

/* Gives a place a row of a matrix of at most few columns, without gaps: whether there is an array for it, and such a row. */
ASIDE bool act_take_row(const act_state *S, act_value *to, const act_value *matrix, double index);

/* Gives a place the product of two vectors as a number, with the bits of `NDArray.plainDot`. False of other arrays, and where there is something to
   say about it. */
ASIDE bool act_dot(const act_state *S, act_value *to, act_value *x, act_value *y, bool frees_x, bool frees_y);

/* Whether a text has grown by another one. */
ASIDE bool act_append_text(act_value *place, const act_value *addition);

/* `Text.footprint` of a longer text, beside its bytes. */
enum { text_footprint = 128 };

static inline bool is_short(act_string s) { return s.words[1] >> 60 == 0xE; }
static inline bool is_equal(act_string s, act_string t) { return s.words[0] == t.words[0] && s.words[1] == t.words[1]; }

/* Whether two texts are the same; -1 where Swift must look. */
static inline int same_text(const act_value *x, const act_value *y) {
    if (x->object == y->object) return 1;
    act_string s = ((const act_text *)x->object)->string, t = ((const act_text *)y->object)->string;
    return is_short(s) && is_short(t) ? is_equal(s, t) : -1;
}

static inline ptrdiff_t byte_count(act_string s) { return is_short(s) ? s.words[1] >> 56 & 0xF : s.words[0] & 0xffffffffffff; }

/* Where a string that is not short has its bytes. */
static inline const char *string_bytes(act_string s) { return (const char *)(uintptr_t)(s.words[1] & 0xfffffffffffffff) + 32; }

/* The text of a character of a text whose characters are bytes; NULL where Swift must look. */
static inline const act_value *letter_at(const act_state *S, const act_text *text, double index) {
    if (text->kind != 1 || text->details != NULL || S->letters == NULL) return NULL;
    act_string s = text->string;
    ptrdiff_t position = act_position(index, byte_count(s));
    if (position < 0) return NULL;
    if (is_short(s)) return S->letters + (s.words[position >> 3] >> (8 * (position & 7)) & 0x7f);
    return S->letters + (string_bytes(s)[position] & 0x7f);
}

/* Where a record has the field that a text names; -1 where there is none, -2 where Swift must look. */
static inline ptrdiff_t place_of(const act_record *record, const act_value *name) {
    act_string s = ((const act_text *)name->object)->string;
    const act_strings *words = record->shape->words;
    if (!is_short(s) || words->count > 8) return -2;
    for (ptrdiff_t place = 0; place < words->count; place++) if (is_equal(words->first[place], s)) return place;
    return record->shape->are_all_short ? -1 : -2;
}

/* Puts a value at the end of a list that nobody else sees, if there is room. What is nested is left to Swift, which counts how deep. */
INLINE bool append(const act_list *list, act_value *value, bool is_last) {
    act_elements *elements = list->elements;
    if (elements->count >= list->room || (size_t)elements->count >= elements->capacity >> 1 || !is_alone(list, elements)) return false;
    if (value->tag >= act_tag_list && value->tag <= act_tag_function) return false;
    act_value *end = elements->first + elements->count;
    end->bits = value->bits;
    end->tag = value->tag;
    if (is_object(value->tag)) {
        if (is_last) {
            value->bits = 0;
            value->tag = act_tag_plain;
        } else {
            retain(value->object, value->tag);
        }
    }
    elements->count++;
    return true;
}

/* Puts a number at the end of a vector of f64 that nobody else sees, if there is room. */
INLINE bool append_number(const act_value *place, double number) {
    act_node *node = place->object;
    act_view *view = &node->view;
    if (view->length == 0 || view->first == NULL || node->type != f64_elements) return false;
    const act_storage *storage = view->storage;
    double *end = (double *)view->first + view->length;
    if ((const char *)(end + 1) > (const char *)storage->first + storage->byte_count || !is_alone(node, storage)) return false;
    if (!is_unique(node->shape)) return false;
    *end = number;
    view->length++;
    view->count++;
    node->shape->first[0]++;
    return true;
}

#endif
