/* The machine's loop for numbers, elements of plain arrays, lists and records, and calls of functions of the program. Everything else is left
   to Swift: the loop stops in front of it. In C, because every instruction is a handful of the processor's, and jumps straight to the next;
   in one function, and so in one long file, because only within a function can it.

   What must stay true:
   - Nothing is done by halves: what stops has changed nothing.
   - Results that are not finite are left to Swift, which may have to warn, and so is every error.
   - An object that a register gives up is released; one that it takes is retained. */

#include "values.h"
#include "pairs.h"

#define PAIR(first, second, how) pair_##first##_##second##_##how,
enum { before_pairs = act_first_pair - 1, ACT_PAIRS(PAIR) after_pairs };
#undef PAIR
_Static_assert(after_pairs <= 256 && OpcodeCheckForm < act_first_pair, "a handler is a byte");

const Opcode act_first_of_pairs[] = {
#define PAIR(first, second, how) Opcode##first,
    ACT_PAIRS(PAIR)
#undef PAIR
};

/* How the second instruction of a pair comes by what the first has made: as its operand b or c, or not at once; or the first makes nothing, for the
   second puts it, its operand b or c, straight where it belongs, and nobody else needs it. */
enum how { as_b, as_c, apart, straight_b, straight_c, how_count };

/* The handler of two instructions, where there is one. */
static const uint8_t pairs[how_count][act_first_pair][act_first_pair] = {
#define PAIR(first, second, how) [how][Opcode##first][Opcode##second] = pair_##first##_##second##_##how,
    ACT_PAIRS(PAIR)
#undef PAIR
};

void act_pair(Instruction *instructions, ptrdiff_t count) {
    for (Instruction *i = instructions, *next = i + 1; next < instructions + count; i = next++) {
        const bool is_b = next->b_bytes == i->a_bytes, is_c = next->c_bytes == i->a_bytes, is_changed = next->a_bytes == i->a_bytes;
        uint8_t handler = 0;
        if (is_b && !is_c && !is_changed && next->flags & last_use_b) handler = pairs[straight_b][i->handler][next->handler];
        if (is_c && !is_b && !is_changed && next->flags & last_use_c) handler = pairs[straight_c][i->handler][next->handler];
        if (!handler && is_b) handler = pairs[as_b][i->handler][next->handler];
        if (!handler && is_c) handler = pairs[as_c][i->handler][next->handler];
        if (!handler) handler = pairs[apart][i->handler][next->handler];
        if (handler) i->handler = handler;
    }
}

/* Moves the arguments of a known call, which lie one after the other from `base[positional]` on, to the registers of their parameters; those
   without one become undefined. */
static ASIDE void spread(const act_known_call *call, act_value *base, ptrdiff_t parameter_count) {
    ptrdiff_t first = call->positional, count = call->count;
    uint64_t bits[8];
    uint8_t tags[8];
    for (ptrdiff_t n = 0; n < count; n++) {
        bits[n] = base[first + n].bits;
        tags[n] = base[first + n].tag;
    }
    for (ptrdiff_t n = first; n < parameter_count; n++) {
        /* What has been moved out is held there no more; what lies behind the arguments may still hold something. */
        if (n >= first + count && is_object(base[n].tag)) release(base[n].object, base[n].tag);
        base[n].bits = 1;
        base[n].tag = act_tag_plain;
    }
    for (ptrdiff_t n = 0; n < count; n++) {
        act_value *place = base + call->places[n];
        place->bits = bits[n];
        place->tag = tags[n];
    }
}

/* The same with one argument that has a name. (Word by word, as it has been written: to read together what has just been written apart takes the
   processor long.) */
INLINE void spread_one(const act_known_call *call, act_value *base, ptrdiff_t parameter_count) {
    act_value *argument = base + call->positional, *place = base + call->places[0];
    const uint64_t bits = argument->bits;
    const uint8_t tag = argument->tag;
    argument->bits = 1;
    argument->tag = act_tag_plain;
    for (act_value *v = argument + 1; v < base + parameter_count; v++) replace(v, 1, act_tag_plain);
    place->bits = bits;
    place->tag = tag;
}

/* Whether there is room for registers up to `end`, which are ready then. */
static ASIDE bool make_ready(act_state *S, act_value *end) {
    if (end >= S->limit) return false;
    for (act_value *v = S->ready; v < end; v++) {
        v->bits = 0;
        v->tag = act_tag_plain;
    }
    S->ready = end;
    return true;
}

INLINE bool prepare(act_state *S, act_value *end) { return likely(end <= S->ready) || make_ready(S, end); }

/* Parameters without an argument have no value. */
INLINE void clear_parameters(act_value *first, const act_value *end) {
    for (act_value *missing = first; missing < end; missing++) replace(missing, 1, act_tag_plain);
}

static ASIDE void hold_function(void *function) { swift_retain(function); }

_Static_assert(sizeof(act_value) == 16 && sizeof(Instruction) == 16, "operands are distances in bytes");

Instruction *act_run(void *state, Instruction *pc) {
    static const void *const labels[256] = {
#define LABEL(op, label) [Opcode##op] = &&label
        LABEL(Move, move), LABEL(Constant, constant), LABEL(LoadGlobal, load_global), LABEL(LoadGlobalOrNone, load_global_or_none),
        LABEL(StoreGlobal, store_global), LABEL(CheckGlobal, check_global), LABEL(AddGlobal, add_global), LABEL(UnsetGlobal, other),
        LABEL(LoadCapture, load_capture), LABEL(LoadSelf, load_self), LABEL(CheckLocal, check_local), LABEL(Clear, clear), LABEL(NoteField, other),
        LABEL(Add, add), LABEL(Sub, sub), LABEL(Mul, mul), LABEL(Div, div), LABEL(Pow, other), LABEL(FloorDivide, floor_divide),
        LABEL(Modulo, modulo), LABEL(Matmul, matmul), LABEL(AddK, add_k), LABEL(SubK, sub_k), LABEL(MulK, mul_k), LABEL(DivK, div_k),
        LABEL(PowK, pow_k), LABEL(FloorDivideK, floor_divide_k), LABEL(ModuloK, modulo_k), LABEL(Negate, negate), LABEL(Plus, plus),
        LABEL(Not, not), LABEL(Less, less), LABEL(LessEqual, less_equal), LABEL(Greater, greater), LABEL(GreaterEqual, greater_equal),
        LABEL(Equal, equal), LABEL(NotEqual, not_equal), LABEL(LogicalAnd, logical), LABEL(LogicalOr, logical), LABEL(Compose, other),
        LABEL(Jump, jump), LABEL(CheckInterrupt, check_interrupt), LABEL(JumpIfFalse, jump_if_false), LABEL(JumpIfTrue, jump_if_true),
        LABEL(AndSkip, jump_if_false), LABEL(OrSkip, jump_if_true), LABEL(JumpIfDefined, jump_if_defined),
        LABEL(JumpLess, jump_less), LABEL(JumpLessEqual, jump_less_equal), LABEL(JumpGreater, jump_greater),
        LABEL(JumpGreaterEqual, jump_greater_equal), LABEL(JumpEqual, jump_equal), LABEL(JumpNotEqual, jump_not_equal),
        LABEL(JumpLessK, jump_less_k), LABEL(JumpLessEqualK, jump_less_equal_k), LABEL(JumpGreaterK, jump_greater_k),
        LABEL(JumpGreaterEqualK, jump_greater_equal_k), LABEL(JumpEqualK, jump_equal_k), LABEL(JumpNotEqualK, jump_not_equal_k),
        LABEL(Iterate, other), LABEL(IterateRange, other), LABEL(Next, next), LABEL(MakeArray, other), LABEL(MakeList, other),
        LABEL(MakeRecord, other), LABEL(Spread, other), LABEL(BeginCollection, other), LABEL(Append, append), LABEL(FinishCollection, other),
        LABEL(Extend, extend), LABEL(ExtendGlobal, extend_global), LABEL(Interpolate, other), LABEL(MakeFunction, other), LABEL(Prime, other),
        LABEL(Index, index),
        LABEL(IndexGlobal, index_global), LABEL(IndexTwo, index_two), LABEL(IndexItems, other), LABEL(Field, field), LABEL(Update, other),
        LABEL(ChangeElement, change_element), LABEL(ChangeElementTwo, change_element_two), LABEL(ChangeField, change_field), LABEL(Unpack, other),
        LABEL(Call, call), LABEL(CallGlobal, call_global), LABEL(CallShaped, call_shaped), LABEL(Result, result), LABEL(Show, other),
        LABEL(Record, other), LABEL(CheckForm, check_form),
#define PAIR(first, second, how) [pair_##first##_##second##_##how] = &&first##_then_##second##_##how,
        ACT_PAIRS(PAIR)
#undef PAIR
    };

    act_state *const S = state;
    /* `S->frame`, at hand. */
    act_frame *F = S->frame;
    act_value *R, *K, *globals;

#define ENTER_FRAME do { act_entry *entry = F->entry; R = F->base; K = entry->constants; globals = *entry->globals; } while (0)
#define GO goto *labels[pc->handler]
#define NEXT do { pc++; GO; } while (0)
#define JUMP do { pc = (Instruction *)((char *)pc + pc->a_bytes); GO; } while (0)
#define AT(values, bytes) ((act_value *)((char *)(values) + (bytes)))
#define A AT(R, pc->a_bytes)
#define B AT(R, pc->b_bytes)
#define C AT(R, pc->c_bytes)
#define KC AT(K, pc->c_bytes)
#define COUNT (pc->c_bytes >> 4)
/* To a register of the running frame. */
#define COPY(to, from) do { \
    const act_value *source = from; \
    if (likely(source->tag == act_tag_number)) { put_number(to, source->number); } else { F->holds_objects = true; copy_other(to, source); } \
} while (0)
#define TAKE(to, from) do { \
    act_value *source = from; \
    if (likely(source->tag == act_tag_number)) { put_number(to, source->number); } else { F->holds_objects = true; take_other(to, source); } \
} while (0)
/* Of two registers in one operand: see `Instruction.pack`. */
#define FIRST(pair) AT(R, (pair) & 0x1fff0)
#define SECOND(pair) AT(R, (pair) >> 13 & ~15)
#define INTERRUPTED unlikely(__atomic_load_n(S->interrupt, __ATOMIC_RELAXED))
#define BOTH_NUMBERS(x, y) likely((x)->tag == act_tag_number && (y)->tag == act_tag_number)

    ENTER_FRAME;
    GO;

    /* Moving values */
move:
    if (pc->flags & last_use_b) TAKE(A, B); else COPY(A, B);
    NEXT;
constant:
    COPY(A, AT(K, pc->b_bytes));
    NEXT;
load_global:
    if (unlikely(has_no_value(AT(globals, pc->b_bytes)))) return pc;
    COPY(A, AT(globals, pc->b_bytes));
    NEXT;
load_global_or_none:
    COPY(A, AT(globals, pc->b_bytes));
    NEXT;
store_global:
    if (pc->flags & last_use_b) take(AT(globals, pc->a_bytes), B); else copy(AT(globals, pc->a_bytes), B);
    NEXT;
check_global:
    if (unlikely(has_no_value(AT(globals, pc->a_bytes)))) return pc;
    NEXT;
add_global: {
    act_value *global = AT(globals, pc->a_bytes);
    if (!BOTH_NUMBERS(global, B)) {
        if (global->tag != act_tag_text || B->tag != act_tag_text) goto other;
        if (!act_append_text(global, B)) return pc;
        if (pc->flags & last_use_b) replace(B, 0, act_tag_plain);
        NEXT;
    }
    double sum = global->number + B->number;
    if (unlikely(!is_finite(sum))) return pc;
    global->number = sum;
    NEXT;
}
load_capture: {
    const act_function *closure = F->closure;
    if (unlikely(closure == NULL)) return pc;
    const act_value *captured = AT(closure->captures->first, pc->b_bytes);
    if (unlikely(has_no_value(captured))) return pc;
    COPY(A, captured);
    NEXT;
}
load_self:
    if (F->closure) {
        hold_function(F->closure);
        F->holds_objects = true;
        replace(A, (uint64_t)(uintptr_t)F->closure, act_tag_function);
    }
    NEXT;
check_local:
    if (unlikely(has_no_value(A))) return pc;
    NEXT;
clear:
    replace(A, 1, act_tag_plain);
    NEXT;

    /* Operators */
#define ARITHMETIC(label, right, operation, change, has_constant) \
label: { \
    act_value *x = B, *y = right; \
    if (!BOTH_NUMBERS(x, y)) { \
        F->holds_objects = true; \
        act_outcome outcome = act_combine(S, pc, A, x, y, change, has_constant); \
        if (outcome == act_never) goto other; \
        if (outcome == act_not_now) return pc; \
        NEXT; \
    } \
    double z = x->number operation y->number; \
    if (unlikely(!is_finite(z))) return pc; \
    put_number(A, z); \
    NEXT; \
}
    ARITHMETIC(add, C, +, change_add, false)
    ARITHMETIC(sub, C, -, change_subtract, false)
    ARITHMETIC(mul, C, *, change_multiply, false)
    ARITHMETIC(div, C, /, change_divide, false)
    ARITHMETIC(add_k, KC, +, change_add, true)
    ARITHMETIC(sub_k, KC, -, change_subtract, true)
    ARITHMETIC(mul_k, KC, *, change_multiply, true)
    ARITHMETIC(div_k, KC, /, change_divide, true)
#define WHOLE(label, right, function) \
label: { \
    const act_value *x = B, *y = right; \
    if (!BOTH_NUMBERS(x, y)) goto other; \
    double z; \
    if (unlikely(!function(x->number, y->number, &z))) return pc; \
    put_number(A, z); \
    NEXT; \
}
    WHOLE(modulo, C, act_whole_remainder)
    WHOLE(modulo_k, KC, act_whole_remainder)
    WHOLE(floor_divide, C, act_whole_quotient)
    WHOLE(floor_divide_k, KC, act_whole_quotient)
pow_k: {
    const act_value *x = B, *y = KC;
    if (!BOTH_NUMBERS(x, y)) goto other;
    double square = x->number * x->number;
    if (unlikely(y->number != 2 || !is_finite(square))) return pc;
    put_number(A, square);
    NEXT;
}
negate:
    if (unlikely(B->tag != act_tag_number)) goto other;
    put_number(A, -B->number);
    NEXT;
plus:
    if (unlikely(B->tag != act_tag_number)) goto other;
    put_number(A, B->number);
    NEXT;
not:
    if (unlikely(B->tag != act_tag_bool)) goto other;
    put_bool(A, !(B->bits & 1));
    NEXT;
#define COMPARISON(label, operation) \
label: { \
    const act_value *x = B, *y = C; \
    if (!BOTH_NUMBERS(x, y)) goto other; \
    put_bool(A, x->number operation y->number); \
    NEXT; \
}
    COMPARISON(less, <)
    COMPARISON(less_equal, <=)
    COMPARISON(greater, >)
    COMPARISON(greater_equal, >=)
    COMPARISON(equal, ==)
    COMPARISON(not_equal, !=)
    /* The left side let the right side decide. */
logical:
    if (unlikely(B->tag != act_tag_bool || C->tag != act_tag_bool)) goto other;
    put_bool(A, C->bits & 1);
    NEXT;

    /* Jumps */
jump:
    JUMP;
check_interrupt:
    if (INTERRUPTED) return pc;
    NEXT;
jump_if_false:
    if (unlikely(B->tag != act_tag_bool)) goto other;
    if (!(B->bits & 1)) JUMP;
    NEXT;
jump_if_true:
    if (unlikely(B->tag != act_tag_bool)) goto other;
    if (B->bits & 1) JUMP;
    NEXT;
jump_if_defined:
    if (!has_no_value(B)) JUMP;
    NEXT;
#define JUMP_IF(condition) { \
    if ((condition) == (pc->extra & 1)) { \
        if (pc->extra > 1 && INTERRUPTED) return pc; \
        JUMP; \
    } \
}
#define COMPARE(operation, right, otherwise) { \
    const act_value *x = B, *y = right; \
    if (!BOTH_NUMBERS(x, y)) goto otherwise; \
    JUMP_IF(x->number operation y->number) \
}
#define COMPARING_JUMP(label, right, operation) label: COMPARE(operation, right, other) NEXT;
    COMPARING_JUMP(jump_less, C, <)
    COMPARING_JUMP(jump_less_equal, C, <=)
    COMPARING_JUMP(jump_greater, C, >)
    COMPARING_JUMP(jump_greater_equal, C, >=)
    COMPARING_JUMP(jump_less_k, KC, <)
    COMPARING_JUMP(jump_less_equal_k, KC, <=)
    COMPARING_JUMP(jump_greater_k, KC, >)
    COMPARING_JUMP(jump_greater_equal_k, KC, >=)
#define EQUALITY_JUMP(label, right, operation) \
label: { \
    const act_value *x = B, *y = right; \
    if (!BOTH_NUMBERS(x, y)) { \
        int same; \
        if (x->tag != act_tag_text || y->tag != act_tag_text) goto other; \
        if (unlikely((same = same_text(x, y)) < 0)) return pc; \
        JUMP_IF(same operation 1) \
        NEXT; \
    } \
    JUMP_IF(x->number operation y->number) \
    NEXT; \
}
    EQUALITY_JUMP(jump_equal, C, ==)
    EQUALITY_JUMP(jump_not_equal, C, !=)
    EQUALITY_JUMP(jump_equal_k, KC, ==)
    EQUALITY_JUMP(jump_not_equal_k, KC, !=)

    /* Loops */
#define NEXT_OF_RANGE { \
    if (INTERRUPTED) return pc; \
    act_value *loop = C; \
    double position = loop[2].number; \
    if (likely(loop[1].tag == act_tag_number)) { \
        if (likely(position < loop[3].number)) { \
            loop[2].number = position + 1; \
            put_number(B, loop->number + position * loop[1].number); \
            JUMP; \
        } \
        NEXT; \
    } \
}
next: {
    NEXT_OF_RANGE
    act_value *loop = C;
    double position = loop[2].number;
    if (loop->tag != act_tag_array && loop->tag != act_tag_list && loop->tag != act_tag_text) goto other;
    if (!(position < loop[3].number)) NEXT;
    if (loop->tag == act_tag_text) {
        const act_value *letter = letter_at(S, loop->object, position);
        if (unlikely(letter == NULL)) return pc;
        loop[2].number = position + 1;
        COPY(B, letter);
        JUMP;
    }
    if (loop->tag == act_tag_list) {
        const act_elements *elements = ((const act_list *)loop->object)->elements;
        if (unlikely(!(position < elements->count))) return pc;
        loop[2].number = position + 1;
        COPY(B, elements->first + (ptrdiff_t)position);
        JUMP;
    }
    const act_view *view = view_of(loop);
    if (view->first == NULL || !(position < view->length)) return pc;
    loop[2].number = position + 1;
    put_element(B, view->first, type_of(loop), (ptrdiff_t)position);
    JUMP;
}

    /* Elements */
    act_value *container;
index_global:
    container = AT(globals, pc->b_bytes);
    goto index_container;
index:
    container = B;
index_container: {
    if (unlikely(C->tag != act_tag_number)) {
        if (C->tag != act_tag_text || container->tag != act_tag_record) goto other;
        ptrdiff_t place = place_of(container->object, C);
        if (place < 0) return pc;
        COPY(A, ((const act_record *)container->object)->values->first + place);
        NEXT;
    }
    if (container->tag == act_tag_list) {
        const act_elements *elements = ((const act_list *)container->object)->elements;
        ptrdiff_t position = position_in(C->number, elements->count);
        if (unlikely(position < 0)) return pc;
        COPY(A, elements->first + position);
        NEXT;
    }
    if (container->tag == act_tag_text) {
        const act_value *letter = letter_at(S, container->object, C->number);
        if (letter == NULL) return pc;
        COPY(A, letter);
        NEXT;
    }
    if (container->tag != act_tag_array) goto other;
    const act_view *view = view_of(container);
    ptrdiff_t position = position_in(C->number, view->length);
    if (unlikely(position < 0 || view->first == NULL)) {
        if (view->length == 0) goto row;
        return pc;
    }
    put_element(A, view->first, type_of(container), position);
    NEXT;
}
index_two: {
    const act_value *row = FIRST(pc->c_bytes), *column = SECOND(pc->c_bytes);
    if (B->tag != act_tag_array || !BOTH_NUMBERS(row, column)) goto other;
    const act_view *view = view_of(B);
    ptrdiff_t position = matrix_position(view, row->number, column->number);
    if (unlikely(position < 0 || view->first == NULL)) return pc;
    put_element(A, view->first, type_of(B), position);
    NEXT;
}
change_element: {
    act_value *place = AT(pc->extra & 1 << 12 ? globals : R, pc->a_bytes);
    double value;
    if (unlikely(B->tag != act_tag_number)) {
        if (B->tag != act_tag_text || place->tag != act_tag_record) goto other;
        act_record *record = place->object;
        ptrdiff_t field = place_of(record, B);
        if (field < 0 || !is_alone(record, record->values)) return pc;
        if (!change_part(record->values->first + field, pc->extra >> 13, C, pc->flags & last_use_c)) return pc;
        NEXT;
    }
    if (place->tag == act_tag_list) {
        act_elements *elements = ((const act_list *)place->object)->elements;
        ptrdiff_t position = position_in(B->number, elements->count);
        if (unlikely(position < 0 || !is_alone(place->object, elements))) return pc;
        if (unlikely(!change_part(elements->first + position, pc->extra >> 13, C, pc->flags & last_use_c))) return pc;
        NEXT;
    }
    if (place->tag != act_tag_array || !plain_number(C, &value)) goto other;
    const act_view *view = view_of(place);
    ptrdiff_t position = position_in(B->number, view->length);
    if (unlikely(position < 0 || view->first == NULL || !change_element(place, position, pc->extra >> 13, value))) return pc;
    NEXT;
}
change_element_two: {
    act_value *place = AT(pc->extra & 1 << 12 ? globals : R, pc->a_bytes);
    const act_value *row = FIRST(pc->b_bytes), *column = SECOND(pc->b_bytes);
    double value;
    if (place->tag != act_tag_array || !BOTH_NUMBERS(row, column) || !plain_number(C, &value)) goto other;
    const act_view *view = view_of(place);
    ptrdiff_t position = matrix_position(view, row->number, column->number);
    if (unlikely(position < 0 || view->first == NULL || !change_element(place, position, pc->extra >> 13, value))) return pc;
    NEXT;
}

    /* Collections that grow */
append:
    if (A->tag == act_tag_gathering) {
        act_gathering *gathering = A->object;
        if (B->tag != act_tag_number) goto other;
        if (unlikely(gathering->count >= gathering->capacity)) return pc;
        gathering->numbers[gathering->count++] = B->number;
        NEXT;
    }
    if (A->tag != act_tag_list) goto other;
    if (unlikely(!append(A->object, B, pc->flags & last_use_b))) return pc;
    NEXT;
    act_value *growing;
extend_global:
    growing = AT(globals, pc->a_bytes);
    goto extend_it;
extend:
    growing = A;
extend_it:
    {
        /* `Extension`: by the value as the only element of a list (1) or an array (2), or as another element of whatever is there (3). */
        const ptrdiff_t kind = COUNT;
        const void *function = kind == 3 ? S->appending : S->concatenation;
        if (growing->tag == act_tag_list && kind & 1) {
            if (unlikely(globals[pc->extra].object != function || !append(growing->object, B, pc->flags & last_use_b))) return pc;
            NEXT;
        }
        if (growing->tag != act_tag_array || kind < 2 || B->tag != act_tag_number) goto other;
        if (unlikely(globals[pc->extra].object != function || !append_number(growing, B->number))) return pc;
        NEXT;
    }

    /* Fields */
field: {
    if (B->tag != act_tag_record) goto other;
    const act_record *record = B->object;
    const act_known_field *known = F->entry->fields + COUNT;
    if (unlikely(record->shape->id != known->shape)) return pc;
    COPY(A, record->values->first + known->place);
    NEXT;
}
change_field: {
    act_value *place = AT(pc->extra & 1 << 12 ? globals : R, pc->a_bytes);
    if (place->tag != act_tag_record) goto other;
    act_record *record = place->object;
    const act_known_field *known = F->entry->fields + (pc->b_bytes >> 4);
    if (unlikely(record->shape->id != known->shape || !is_alone(record, record->values))) return pc;
    if (unlikely(!change_part(record->values->first + known->place, pc->extra >> 13, C, pc->flags & last_use_c))) return pc;
    NEXT;
}

    /* Calls */
    const act_value *callee;
    const act_entry *entry;
    act_value *base;
call_global:
    callee = globals + pc->extra;
    goto call_callee;
call:
    callee = B;
call_callee: {
    if (unlikely(callee->tag != act_tag_function)) return pc;
    const act_function *function = callee->object;
    const ptrdiff_t count = COUNT;
    base = B + 1;
    entry = function->entry;
    if (entry) {
        if (count != entry->plain_count && (count > entry->parameter_count || count < entry->required_count)) return pc;
        if (unlikely(F >= S->last_frame || !prepare(S, base + entry->register_count + 1))) return pc;
        if (count != entry->plain_count) clear_parameters(base + count, base + entry->parameter_count);
        goto enter;
    }
    if (count == 1 && function->kernel && base->tag == act_tag_number) {
        double y = function->kernel(base->number);
        if (unlikely(!is_finite(y))) return pc;
        put_number(A, y);
        NEXT;
    }
    if (count == 2 && function->binary_kernel && BOTH_NUMBERS(base, base + 1)) {
        double z = function->binary_kernel(base->number, base[1].number);
        if (unlikely(!is_finite(z))) return pc;
        put_number(A, z);
        NEXT;
    }
    act_value answer;
    if (!function->direct || !function->direct(base, count, &answer)) goto other;
    for (act_value *v = base; v < base + count; v++) if (is_object(v->tag)) replace(v, 0, act_tag_plain);
    F->holds_objects = true;
    replace(A, answer.bits, answer.tag);
    NEXT;
}
call_shaped: {
    const act_known_call *known = F->entry->calls + pc->extra;
    callee = known->global < 0 ? B : globals + known->global;
    if (callee->tag != act_tag_function) goto other;
    entry = ((const act_function *)callee->object)->entry;
    /* A method of what has no fields is a call by position. */
    if (!entry && known->names == 0 && COUNT > 0 && B[1].tag != act_tag_record && B[1].tag != act_tag_function) goto call_callee;
    if (!entry || known->callee != entry->id || known->positional != COUNT) return pc;
    base = B + 1;
    if (unlikely(F >= S->last_frame || !prepare(S, base + entry->register_count + 1))) return pc;
    if (likely(known->count == 1)) spread_one(known, base, entry->parameter_count); else spread(known, base, entry->parameter_count);
    goto enter;
}
    /* Into the frame of `entry`, whose arguments are where its parameters are. */
enter: {
    bool holds_objects = false;
    for (const act_value *v = base, *end = base + entry->parameter_count; v < end; v++) holds_objects |= is_object(v->tag);
    S->frame = ++F;
    F->holds_objects = holds_objects;
    F->entry = (act_entry *)entry;
    F->code = entry->code;
    F->closure = callee->object;
    F->base = base;
    F->return_address = pc + 1;
    F->call_site = pc;
    R = base;
    K = entry->constants;
    globals = *entry->globals;
    pc = entry->instructions;
    /* A function that calls itself has no other place to look. */
    if (INTERRUPTED) return pc;
    GO;
}
result: {
    const act_frame *const finished = F;
    if (unlikely(finished->return_address == NULL)) return pc;
    uint64_t bits = B->bits;
    uint8_t tag = B->tag;
    if (tag != act_tag_number) {
        B->bits = 0;
        B->tag = act_tag_plain;
    }
    if (finished->holds_objects) clear(R, finished->entry->register_count);
    pc = finished->return_address;
    S->frame = --F;
    ENTER_FRAME;
    act_value *target = AT(R, finished->call_site->a_bytes);
    if (likely(tag == act_tag_number && target->tag == act_tag_number)) {
        target->bits = bits;
    } else {
        F->holds_objects = true;
        replace(target, bits, tag);
    }
    GO;
}

    /* Pairs. What is no matter of numbers goes to what the instruction means by itself, before anything has happened. What the first makes, `z`,
       need not come back from memory for the second. */
#define PUT(result) { \
    const double w = result; \
    if (unlikely(!is_finite(w))) return pc; \
    put_number(A, w); \
    z = w; \
}
#define NUMBERS_apart(operation, right, otherwise) { \
    const act_value *x = B, *y = right; \
    if (!BOTH_NUMBERS(x, y)) goto otherwise; \
    PUT(x->number operation y->number) \
}
#define NUMBERS_as_b(operation, right, otherwise) { \
    const act_value *y = right; \
    if (unlikely(y->tag != act_tag_number)) goto otherwise; \
    PUT(z operation y->number) \
}
#define NUMBERS_as_c(operation, right, otherwise) { \
    const act_value *x = B; \
    if (unlikely(x->tag != act_tag_number)) goto otherwise; \
    PUT(x->number operation z) \
}
#define DO_Add(how) NUMBERS_##how(+, C, add)
#define DO_Sub(how) NUMBERS_##how(-, C, sub)
#define DO_Mul(how) NUMBERS_##how(*, C, mul)
#define DO_AddK(how) NUMBERS_##how(+, KC, add_k)
#define DO_SubK(how) NUMBERS_##how(-, KC, sub_k)
#define DO_MulK(how) NUMBERS_##how(*, KC, mul_k)
#define DO_DivK(how) NUMBERS_##how(/, KC, div_k)
#define DO_ModuloK(how) { \
    const act_value *x = B, *y = KC; \
    if (!BOTH_NUMBERS(x, y) || !act_whole_remainder(x->number, y->number, &z)) goto modulo_k; \
    put_number(A, z); \
}
#define COMPARE_apart(operation, right, otherwise) COMPARE(operation, right, otherwise)
#define COMPARE_as_b(operation, right, otherwise) { \
    const act_value *y = right; \
    if (unlikely(y->tag != act_tag_number)) goto otherwise; \
    JUMP_IF(z operation y->number) \
}
#define DO_JumpLess(how) COMPARE_##how(<, C, jump_less)
#define DO_JumpLessEqual(how) COMPARE_##how(<=, C, jump_less_equal)
#define DO_JumpGreater(how) COMPARE_##how(>, C, jump_greater)
#define DO_JumpGreaterEqual(how) COMPARE_##how(>=, C, jump_greater_equal)
#define DO_JumpLessK(how) COMPARE_##how(<, KC, jump_less_k)
#define DO_JumpLessEqualK(how) COMPARE_##how(<=, KC, jump_less_equal_k)
#define DO_JumpGreaterK(how) COMPARE_##how(>, KC, jump_greater_k)
#define DO_JumpGreaterEqualK(how) COMPARE_##how(>=, KC, jump_greater_equal_k)
#define DO_JumpEqualK(how) COMPARE_##how(==, KC, jump_equal_k)
#define DO_JumpNotEqualK(how) COMPARE_##how(!=, KC, jump_not_equal_k)
#define DO_JumpIfDefined(how) if (!has_no_value(B)) JUMP;
#define DO_Jump(how) JUMP;
#define DO_Next(how) NEXT_OF_RANGE goto next;
#define DO_Move(how) if (pc->flags & last_use_b) TAKE(A, B); else COPY(A, B);
#define DO_Constant(how) COPY(A, AT(K, pc->b_bytes));
#define DO_LoadCapture(how) { \
    const act_function *closure = F->closure; \
    if (unlikely(closure == NULL)) return pc; \
    const act_value *captured = AT(closure->captures->first, pc->b_bytes); \
    if (unlikely(captured->tag != act_tag_number)) goto load_capture; \
    z = captured->number; \
    put_number(A, z); \
}
#define KEY_apart C->number
#define KEY_as_c z
#define DO_Index(how) { \
    const act_value *vector = B, *key = C; \
    if (unlikely(vector->tag != act_tag_array || key->tag != act_tag_number || type_of(vector) != f64_elements)) goto index; \
    const act_view *view = view_of(vector); \
    const ptrdiff_t position = position_in(KEY_##how, view->length); \
    if (unlikely(position < 0 || view->first == NULL)) goto index; \
    z = ((const double *)view->first)[position]; \
    put_number(A, z); \
}
#define DO_IndexTwo(how) { \
    const act_value *row = FIRST(pc->c_bytes), *column = SECOND(pc->c_bytes); \
    if (unlikely(B->tag != act_tag_array || !BOTH_NUMBERS(row, column) || type_of(B) != f64_elements)) goto index_two; \
    const act_view *view = view_of(B); \
    const ptrdiff_t position = matrix_position(view, row->number, column->number); \
    if (unlikely(position < 0 || view->first == NULL)) return pc; \
    z = ((const double *)view->first)[position]; \
    put_number(A, z); \
}
#define DO_ChangeElement(how) { \
    act_value *place = AT(pc->extra & 1 << 12 ? globals : R, pc->a_bytes); \
    const act_value *key = B, *value = C; \
    if (unlikely(place->tag != act_tag_array || !BOTH_NUMBERS(key, value))) goto change_element; \
    const act_view *view = view_of(place); \
    const ptrdiff_t position = position_in(key->number, view->length); \
    if (unlikely(position < 0 || view->first == NULL || !change_element(place, position, pc->extra >> 13, value->number))) return pc; \
}
#define DO_ChangeElementTwo(how) { \
    act_value *place = AT(pc->extra & 1 << 12 ? globals : R, pc->a_bytes); \
    const act_value *row = FIRST(pc->b_bytes), *column = SECOND(pc->b_bytes), *value = C; \
    if (unlikely(place->tag != act_tag_array || !BOTH_NUMBERS(row, column) || value->tag != act_tag_number)) goto change_element_two; \
    const act_view *view = view_of(place); \
    const ptrdiff_t position = matrix_position(view, row->number, column->number); \
    if (unlikely(position < 0 || view->first == NULL || !change_element(place, position, pc->extra >> 13, value->number))) return pc; \
}
#define DO_Append(how) { \
    act_gathering *gathering = A->object; \
    if (unlikely(A->tag != act_tag_gathering || B->tag != act_tag_number || gathering->count >= gathering->capacity)) goto append; \
    gathering->numbers[gathering->count++] = B->number; \
}
#define DO_Field(how) { \
    if (unlikely(B->tag != act_tag_record)) goto field; \
    const act_record *record = B->object; \
    const act_known_field *known = F->entry->fields + COUNT; \
    if (unlikely(record->shape->id != known->shape)) return pc; \
    COPY(A, record->values->first + known->place); \
}
#define DO_ChangeField(how) { \
    act_value *place = AT(pc->extra & 1 << 12 ? globals : R, pc->a_bytes); \
    if (unlikely(place->tag != act_tag_record)) goto change_field; \
    act_record *record = place->object; \
    const act_known_field *known = F->entry->fields + (pc->b_bytes >> 4); \
    if (unlikely(record->shape->id != known->shape || !is_alone(record, record->values))) return pc; \
    if (unlikely(!change_part(record->values->first + known->place, pc->extra >> 13, C, pc->flags & last_use_c))) return pc; \
}
#define DO_Call(how) goto call;
#define DO_CallGlobal(how) goto call_global;
#define DO_Result(how) goto result;
#define STRAIGHT_Append { \
    act_value *place = AT(R, pc[1].a_bytes); \
    if (place->tag != act_tag_list || !append(place->object, AT(K, pc->b_bytes), false)) goto constant; \
}
#define STRAIGHT_ChangeElement { \
    act_value *place = AT(pc[1].extra & 1 << 12 ? globals : R, pc[1].a_bytes), *value = AT(K, pc->b_bytes); \
    const act_value *key = AT(R, pc[1].b_bytes); \
    if (place->tag != act_tag_list || key->tag != act_tag_number) goto constant; \
    act_elements *elements = ((const act_list *)place->object)->elements; \
    const ptrdiff_t position = position_in(key->number, elements->count); \
    if (unlikely(position < 0 || !is_alone(place->object, elements))) goto constant; \
    if (unlikely(!change_part(elements->first + position, pc[1].extra >> 13, value, false))) goto constant; \
}
#define PAIR_straight_b(first, second) PAIR_at_once(first, second, straight_b)
#define PAIR_straight_c(first, second) PAIR_at_once(first, second, straight_c)
#define PAIR_at_once(first, second, how) first##_then_##second##_##how: { \
    STRAIGHT_##second \
    pc += 2; \
    GO; \
}
#define PAIR_apart(first, second) PAIR_in_turn(first, second, apart)
#define PAIR_as_b(first, second) PAIR_in_turn(first, second, as_b)
#define PAIR_as_c(first, second) PAIR_in_turn(first, second, as_c)
#define PAIR(first, second, how) PAIR_##how(first, second)
#define PAIR_in_turn(first, second, how) first##_then_##second##_##how: { \
    double z = 0; \
    DO_##first(apart) \
    pc++; \
    DO_##second(how) \
    (void)z; \
    NEXT; \
}
    ACT_PAIRS(PAIR)

    /* Rows, and products of vectors: at the end, for they need not be near what every loop does */
row: {
    const act_view *view = view_of(container);
    if (view->columns == 0 || view->columns > few || view->first == NULL) goto other;
    F->holds_objects = true;
    if (!act_take_row(S, A, container, C->number)) return pc;
    NEXT;
}
matmul: {
    act_value *x = B, *y = C;
    if (x->tag != act_tag_array || y->tag != act_tag_array || view_of(x)->length == 0 || view_of(y)->length == 0) goto other;
    if (!act_dot(S, A, x, y, pc->flags & last_use_b, pc->flags & last_use_c)) return pc;
    NEXT;
}

check_form:
    if (A->tag != act_tag_number) goto other;
    if (unlikely(fabs(A->number) < S->loss_limit)) return pc;
    NEXT;

other:
    pc->flags |= left_to_swift;
    return pc;
}
