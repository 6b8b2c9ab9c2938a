/* The machine's loop for numbers, elements of plain arrays, lists and records, and calls of functions of the program. Everything else is left
   to Swift: the loop stops in front of it. In C, because every instruction is a handful of the processor's, and jumps straight to the next;
   in one function, and so in one long file, because only within a function can it.

   What must stay true:
   - Nothing is done by halves: what stops has changed nothing.
   - Results that are not finite are left to Swift, which may have to warn, and so is every error.
   - An object that a register gives up is released; one that it takes is retained. */

#include "values.h"

/* Moves the arguments of a known call, which lie one after the other from `base[positional]` on, to the registers of their parameters; those
   without one become undefined. */
static void spread(const act_known_call *call, act_value *base, ptrdiff_t parameter_count) {
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

static inline void prepare(act_state *S, act_value *end) {
    if (likely(end <= S->ready)) return;
    for (act_value *v = S->ready; v < end; v++) {
        v->bits = 0;
        v->tag = act_tag_plain;
    }
    S->ready = end;
}

_Static_assert(sizeof(act_value) == 16 && sizeof(Instruction) == 16, "operands are distances in bytes");

Instruction *act_run(void *state, Instruction *pc) {
    static const void *const labels[256] = {
#define LABEL(op, label) [Opcode##op] = &&label
        LABEL(Move, move), LABEL(Constant, constant), LABEL(LoadGlobal, load_global), LABEL(LoadGlobalOrNone, load_global_or_none),
        LABEL(StoreGlobal, store_global), LABEL(CheckGlobal, check_global), LABEL(AddGlobal, add_global), LABEL(UnsetGlobal, other),
        LABEL(LoadCapture, load_capture), LABEL(LoadSelf, load_self), LABEL(CheckLocal, check_local), LABEL(Clear, clear), LABEL(NoteField, other),
        LABEL(Add, add), LABEL(Sub, sub), LABEL(Mul, mul), LABEL(Div, div), LABEL(Pow, other), LABEL(FloorDivide, floor_divide),
        LABEL(Modulo, modulo), LABEL(Matmul, other), LABEL(AddK, add_k), LABEL(SubK, sub_k), LABEL(MulK, mul_k), LABEL(DivK, div_k),
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
    };

    act_state *const S = state;
    act_value *R, *K, *globals;

#define ENTER_FRAME do { act_entry *entry = S->frame->entry; R = S->frame->base; K = entry->constants; globals = *entry->globals; } while (0)
#define GO goto *labels[pc->opcode]
#define NEXT do { pc++; GO; } while (0)
#define JUMP do { pc = (Instruction *)((char *)pc + pc->a_bytes); GO; } while (0)
#define AT(values, bytes) ((act_value *)((char *)(values) + (bytes)))
#define A AT(R, pc->a_bytes)
#define B AT(R, pc->b_bytes)
#define C AT(R, pc->c_bytes)
#define KC AT(K, pc->c_bytes)
#define COUNT (pc->c_bytes >> 4)
/* Of two registers in one operand: see `Instruction.pack`. */
#define FIRST(pair) AT(R, (pair) & 0x1fff0)
#define SECOND(pair) AT(R, (pair) >> 13 & ~15)
#define BOTH_NUMBERS(x, y) likely((x)->tag == act_tag_number && (y)->tag == act_tag_number)

    ENTER_FRAME;
    GO;

    /* Moving values */
move:
    if (pc->flags & last_use_b) take(A, B); else copy(A, B);
    NEXT;
constant:
    copy(A, AT(K, pc->b_bytes));
    NEXT;
load_global:
    if (unlikely(has_no_value(AT(globals, pc->b_bytes)))) return pc;
    copy(A, AT(globals, pc->b_bytes));
    NEXT;
load_global_or_none:
    copy(A, AT(globals, pc->b_bytes));
    NEXT;
store_global:
    if (pc->flags & last_use_b) take(AT(globals, pc->a_bytes), B); else copy(AT(globals, pc->a_bytes), B);
    NEXT;
check_global:
    if (unlikely(has_no_value(AT(globals, pc->a_bytes)))) return pc;
    NEXT;
add_global: {
    act_value *global = AT(globals, pc->a_bytes);
    if (!BOTH_NUMBERS(global, B)) goto other;
    double sum = global->number + B->number;
    if (unlikely(!is_finite(sum))) return pc;
    global->number = sum;
    NEXT;
}
load_capture: {
    const act_function *closure = S->frame->closure;
    if (unlikely(closure == NULL)) return pc;
    const act_value *captured = AT(closure->captures->first, pc->b_bytes);
    if (unlikely(has_no_value(captured))) return pc;
    copy(A, captured);
    NEXT;
}
load_self:
    if (S->frame->closure) {
        swift_retain(S->frame->closure);
        replace(A, (uint64_t)(uintptr_t)S->frame->closure, act_tag_function);
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
        act_outcome outcome = act_combine(pc, A, x, y, change, has_constant); \
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
    if (unlikely(__atomic_load_n(S->interrupt, __ATOMIC_RELAXED))) return pc;
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
#define COMPARING_JUMP(label, right, operation) \
label: { \
    const act_value *x = B, *y = right; \
    if (!BOTH_NUMBERS(x, y)) goto other; \
    if ((x->number operation y->number) == (pc->extra & 1)) { \
        if (pc->extra > 1 && unlikely(__atomic_load_n(S->interrupt, __ATOMIC_RELAXED))) return pc; \
        JUMP; \
    } \
    NEXT; \
}
    COMPARING_JUMP(jump_less, C, <)
    COMPARING_JUMP(jump_less_equal, C, <=)
    COMPARING_JUMP(jump_greater, C, >)
    COMPARING_JUMP(jump_greater_equal, C, >=)
    COMPARING_JUMP(jump_less_k, KC, <)
    COMPARING_JUMP(jump_less_equal_k, KC, <=)
    COMPARING_JUMP(jump_greater_k, KC, >)
    COMPARING_JUMP(jump_greater_equal_k, KC, >=)
#define EQUALITY_JUMP(label, right, equal) \
label: { \
    const act_value *x = B, *y = right; \
    int same; \
    if (BOTH_NUMBERS(x, y)) { \
        same = x->number == y->number; \
    } else if (x->tag == act_tag_text && y->tag == act_tag_text) { \
        if (unlikely((same = same_text(x, y)) < 0)) return pc; \
    } else { \
        goto other; \
    } \
    if ((same == equal) == (pc->extra & 1)) { \
        if (pc->extra > 1 && unlikely(__atomic_load_n(S->interrupt, __ATOMIC_RELAXED))) return pc; \
        JUMP; \
    } \
    NEXT; \
}
    EQUALITY_JUMP(jump_equal, C, 1)
    EQUALITY_JUMP(jump_not_equal, C, 0)
    EQUALITY_JUMP(jump_equal_k, KC, 1)
    EQUALITY_JUMP(jump_not_equal_k, KC, 0)

    /* Loops */
next: {
    if (unlikely(__atomic_load_n(S->interrupt, __ATOMIC_RELAXED))) return pc;
    act_value *loop = C;
    double position = loop[2].number;
    if (likely(loop[1].tag == act_tag_number)) {
        if (likely(position < loop[3].number)) {
            loop[2].number = position + 1;
            put_number(B, loop->number + position * loop[1].number);
            JUMP;
        }
        NEXT;
    }
    if (loop->tag != act_tag_array && loop->tag != act_tag_list && loop->tag != act_tag_text) goto other;
    if (!(position < loop[3].number)) NEXT;
    if (loop->tag == act_tag_text) {
        const act_value *letter = letter_at(S, loop->object, position);
        if (unlikely(letter == NULL)) return pc;
        loop[2].number = position + 1;
        copy(B, letter);
        JUMP;
    }
    if (loop->tag == act_tag_list) {
        const act_elements *elements = ((const act_list *)loop->object)->elements;
        if (unlikely(!(position < elements->count))) return pc;
        loop[2].number = position + 1;
        copy(B, elements->first + (ptrdiff_t)position);
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
        copy(A, ((const act_record *)container->object)->values->first + place);
        NEXT;
    }
    if (container->tag == act_tag_list) {
        const act_elements *elements = ((const act_list *)container->object)->elements;
        ptrdiff_t position = act_position(C->number, elements->count);
        if (unlikely(position < 0)) return pc;
        copy(A, elements->first + position);
        NEXT;
    }
    if (container->tag == act_tag_text) {
        const act_value *letter = letter_at(S, container->object, C->number);
        if (letter == NULL) return pc;
        copy(A, letter);
        NEXT;
    }
    if (container->tag != act_tag_array) goto other;
    const act_view *view = view_of(container);
    ptrdiff_t position = act_position(C->number, view->length);
    if (unlikely(position < 0 || view->first == NULL)) {
        if (view->length == 0) goto other;
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
        ptrdiff_t position = act_position(B->number, elements->count);
        if (unlikely(position < 0 || !is_alone(place->object, elements))) return pc;
        if (unlikely(!change_part(elements->first + position, pc->extra >> 13, C, pc->flags & last_use_c))) return pc;
        NEXT;
    }
    if (place->tag != act_tag_array || !plain_number(C, &value)) goto other;
    const act_view *view = view_of(place);
    ptrdiff_t position = act_position(B->number, view->length);
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
    const act_known_field *known = S->frame->entry->fields + COUNT;
    if (unlikely(record->shape->id != known->shape)) return pc;
    copy(A, record->values->first + known->place);
    NEXT;
}
change_field: {
    act_value *place = AT(pc->extra & 1 << 12 ? globals : R, pc->a_bytes);
    if (place->tag != act_tag_record) goto other;
    act_record *record = place->object;
    const act_known_field *known = S->frame->entry->fields + (pc->b_bytes >> 4);
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
        if (unlikely(count > entry->parameter_count || count < entry->required_count)) return pc;
        act_value *end = base + entry->register_count + 1;
        if (unlikely(S->frame >= S->last_frame || end >= S->limit)) return pc;
        prepare(S, end);
        for (act_value *missing = base + count; unlikely(missing < base + entry->parameter_count); missing++) replace(missing, 1, act_tag_plain);
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
    replace(A, answer.bits, answer.tag);
    NEXT;
}
call_shaped: {
    const act_known_call *known = S->frame->entry->calls + pc->extra;
    callee = known->global < 0 ? B : globals + known->global;
    if (callee->tag != act_tag_function) goto other;
    entry = ((const act_function *)callee->object)->entry;
    /* A method of what has no fields is a call by position. */
    if (!entry && known->names == 0 && COUNT > 0 && B[1].tag != act_tag_record && B[1].tag != act_tag_function) goto call_callee;
    if (!entry || known->callee != entry->id || known->positional != COUNT) return pc;
    base = B + 1;
    act_value *end = base + entry->register_count + 1;
    if (unlikely(S->frame >= S->last_frame || end >= S->limit)) return pc;
    prepare(S, end);
    spread(known, base, entry->parameter_count);
    goto enter;
}
    /* Into the frame of `entry`, whose arguments are where its parameters are. */
enter: {
    act_frame *frame = S->frame + 1;
    frame->entry = (act_entry *)entry;
    frame->code = entry->code;
    frame->closure = callee->object;
    frame->base = base;
    frame->result = pc->a_bytes >> 4;
    frame->return_address = pc + 1;
    frame->call_site = pc;
    S->frame = frame;
    R = base;
    K = entry->constants;
    globals = *entry->globals;
    pc = entry->instructions;
    /* A function that calls itself has no other place to look. */
    if (unlikely(__atomic_load_n(S->interrupt, __ATOMIC_RELAXED))) return pc;
    GO;
}
result: {
    act_frame *finished = S->frame;
    if (unlikely(finished->return_address == NULL)) return pc;
    uint64_t bits = B->bits;
    uint8_t tag = B->tag;
    if (tag != act_tag_number) {
        B->bits = 0;
        B->tag = act_tag_plain;
    }
    for (act_value *v = R, *end = R + finished->entry->register_count; v < end; v++) {
        if (unlikely(is_object(v->tag))) replace(v, 0, act_tag_plain);
    }
    pc = finished->return_address;
    S->frame = finished - 1;
    ENTER_FRAME;
    act_value *target = R + finished->result;
    if (likely(tag == act_tag_number && target->tag == act_tag_number)) target->bits = bits; else replace(target, bits, tag);
    GO;
}

check_form:
    if (A->tag != act_tag_number) goto other;
    if (unlikely(fabs(A->number) < S->loss_limit)) return pc;
    NEXT;

other:
    pc->flags |= left_to_swift;
    return pc;
}
