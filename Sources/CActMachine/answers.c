/* Built-ins that are answered in C (`act_direct_answer`): what programs ask of their values in every loop. And how lists and records end. */

#include "values.h"

/* Writes the parts of a value one by one: in Swift's memory the place may end with the tag. */
static bool answer(void *result, double number) {
    act_value *place = result;
    place->number = number;
    place->tag = act_tag_number;
    return true;
}

static bool answer_whether(void *result, bool holds) {
    act_value *place = result;
    place->bits = holds;
    place->tag = act_tag_bool;
    return true;
}

/* Whether a short text has no carriage return, which makes one character with the line feed after it. */
static bool has_no_return(act_string s) {
    uint64_t found = 0;
    for (int n = 0; n < 2; n++) {
        uint64_t x = s.words[n] ^ 0x0d0d0d0d0d0d0d0d;
        found |= (x - 0x0101010101010101) & ~x & 0x8080808080808080;
    }
    return found == 0;
}

bool act_length(const void *arguments, ptrdiff_t count, void *result) {
    const act_value *v = arguments;
    if (count != 1) return false;
    switch (v->tag) {
    case act_tag_array: {
        const act_sizes *shape = ((const act_node *)v->object)->shape;
        return shape->count > 0 && answer(result, (double)shape->first[0]);
    }
    case act_tag_list: return answer(result, (double)((const act_list *)v->object)->elements->count);
    case act_tag_record: return answer(result, (double)((const act_record *)v->object)->values->count);
    case act_tag_text: {
        const act_text *text = v->object;
        bool is_bytes = text->kind == 1 || (text->kind == 0 && is_short(text->string) && has_no_return(text->string));
        return is_bytes && answer(result, (double)byte_count(text->string));
    }
    default: return false;
    }
}

bool act_has_field(const void *arguments, ptrdiff_t count, void *result) {
    const act_value *v = arguments;
    if (count != 2 || v->tag != act_tag_record || v[1].tag != act_tag_text) return false;
    ptrdiff_t place = place_of(v->object, v + 1);
    return place != -2 && answer_whether(result, place >= 0);
}

static void empty(act_elements *elements) {
    if (!is_unique(elements)) return;
    act_value *end = elements->first + elements->count;
    elements->count = 0;
    for (act_value *v = elements->first; v < end; v++) if (is_object(v->tag)) release(v->object, v->tag);
}

void act_empty_list(void *list) { empty(((const act_list *)list)->elements); }
void act_empty_record(void *record) { empty(((const act_record *)record)->values); }
