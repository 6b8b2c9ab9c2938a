/* Calls of one function of the program again and again, with numbers: what `map`, `filter` and `reduce` of an array come to. */

#include "values.h"

/* Runs the function in a frame of its own, whose arguments are in their registers.
   Returns NULL where it has returned a value of a kind, which `result` is then; else where it has stopped, with its frame. */
INLINE Instruction *call(act_state *S, const act_frame *frame, uint8_t kind, act_value *result) {
    const act_entry *entry = frame->entry;
    Instruction *pc = entry->instructions;
    *++S->frame = *frame;
    S->frame->holds_objects = false;
    if (likely(!(pc->flags & left_to_swift))) pc = act_run(S, pc);
    if (unlikely(pc->handler != OpcodeResult)) return pc;
    const act_value *place = (const act_value *)((const char *)frame->base + pc->b_bytes);
    if (unlikely(place->tag != kind)) return pc;
    result->bits = place->bits;
    if (S->frame->holds_objects) clear(frame->base, entry->register_count);
    S->frame--;
    return NULL;
}

/* (Registers above the running frame hold nothing that must be released.) */
INLINE void put_argument(act_value *place, double x) {
    place->number = x;
    place->tag = act_tag_number;
}

enum what { map, filter, reduce };

INLINE Instruction *repeat(act_state *S, const act_frame *frame, act_repetition *r, enum what what) {
    for (; r->position < r->count; r->position++) {
        if (unlikely(__atomic_load_n(S->interrupt, __ATOMIC_RELAXED))) break;
        const double x = r->numbers[r->position];
        act_value result;
        put_argument(frame->base, what == reduce ? r->reached : x);
        if (what == reduce) put_argument(frame->base + 1, x);
        Instruction *stop = call(S, frame, what == filter ? act_tag_bool : act_tag_number, &result);
        if (unlikely(stop != NULL)) return stop;
        if (what == map) r->gathered[r->gathered_count++] = result.number;
        if (what == filter && result.bits & 1) r->gathered[r->gathered_count++] = x;
        if (what == reduce) r->reached = result.number;
    }
    return NULL;
}

Instruction *act_map_numbers(void *state, const void *frame, act_repetition *r) { return repeat(state, frame, r, map); }
Instruction *act_filter_numbers(void *state, const void *frame, act_repetition *r) { return repeat(state, frame, r, filter); }
Instruction *act_reduce_numbers(void *state, const void *frame, act_repetition *r) { return repeat(state, frame, r, reduce); }
