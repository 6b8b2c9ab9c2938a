/* The part of the machine's loop that is written in C: what concerns numbers, elements of plain arrays and calls of functions of the program.

   What must stay true: values, frames and functions are laid out here as Swift lays them out; `MachineLayoutTests` compares them. */

#ifndef ACT_RUN_H
#define ACT_RUN_H

#include <stdbool.h>
#include "ActView.h"
#include "Instructions.h"

/* `Value`: one word, and which case it is. */
typedef struct act_value {
    union {
        double number;
        uint64_t bits;
        void *_Nullable object;
    };
    uint8_t tag;
} act_value;

/* The cases of `Value`. Those from `act_tag_text` to `act_tag_gathering` are references to objects of Swift; those without a payload share the
   last number: the word is 0 for none and 1 for what has no value. */
enum {
    act_tag_bool, act_tag_number, act_tag_text, act_tag_array, act_tag_list, act_tag_record, act_tag_function, act_tag_figure, act_tag_gathering,
    act_tag_plain,
};

/* `KnownCall`: a call with names, and where its arguments went the last time. */
typedef struct act_known_call {
    /* The `id` of the callee and the number of arguments by position of that time; 0 before. */
    ptrdiff_t callee, positional;
    /* Which parameter each name means. */
    int32_t *_Nullable places;
    ptrdiff_t count;
    /* The global variable that is called; -1 where the callee is in a register. */
    ptrdiff_t global;
    /* How many names are written. */
    ptrdiff_t names;
} act_known_call;

/* `KnownField`: the name of a field, as a constant, and where it was the last time. */
typedef struct act_known_field {
    /* The `id` of the record's shape that time; 0 before. */
    ptrdiff_t shape, place, name;
} act_known_field;

/* `Code.Entry` */
typedef struct act_entry {
    Instruction *_Nonnull instructions;
    act_value *_Nonnull constants;
    act_value *_Nonnull *_Nonnull globals;
    act_known_call *_Nonnull calls;
    act_known_field *_Nonnull fields;
    ptrdiff_t instruction_count, constant_count, call_count;
    int32_t register_count, parameter_count, required_count;
    /* With how many arguments it is called without further ado; -1 where there is always more to it. */
    int32_t plain_count;
    void *_Nullable code;
    ptrdiff_t id;
} act_entry;

/* `Machine.Frame` */
typedef struct act_frame {
    act_entry *_Nonnull entry;
    void *_Nullable code;
    void *_Nullable closure;
    act_value *_Nonnull base;
    /* Whether some register may hold an object: while none does, none need be looked at when it is left. */
    bool holds_objects;
    Instruction *_Nullable return_address;
    Instruction *_Nullable call_site;
} act_frame;

/* `Machine.State` */
typedef struct act_state {
    act_frame *_Nonnull frame;
    act_value *_Nonnull ready;
    Instruction *_Nullable instruction;
    act_frame *_Nonnull last_frame;
    act_value *_Nonnull limit;
    const int *_Nonnull interrupt;
    /* Results of formulas that are below are looked at, for they may have lost their digits. */
    double loss_limit;
    /* The functions that instructions `extend` stand for, once they have been met. */
    const void *_Nullable concatenation;
    const void *_Nullable appending;
    /* The texts of one byte, once one of them has been asked for. */
    const act_value *_Nullable letters;
    /* `act_spare_count` places for arrays that the program has given up, or NULL, which rows of matrices are copied into; those of a length share one. */
    void *_Nullable *_Nonnull spares;
} act_state;

enum { act_spare_count = 4 };
/* How many numbers an array of few has at most. */
enum { act_few = 128 };

/* What is read of objects, whose first two words belong to Swift. */
typedef struct act_sizes {
    void *_Nullable header[2];
    ptrdiff_t count;
    size_t capacity;
    ptrdiff_t first[];
} act_sizes;

typedef struct act_node {
    void *_Nullable header[2];
    act_view view;
    act_sizes *_Nonnull shape;
    uint8_t type; /* `ElementType` */
} act_node;

/* `Storage` */
typedef struct act_storage {
    void *_Nullable header[2];
    void *_Nonnull first;
    ptrdiff_t byte_count;
} act_storage;

/* What an array of Swift refers to. */
typedef struct act_elements {
    void *_Nullable header[2];
    ptrdiff_t count;
    /* Twice the number of elements that there is room for, and a flag. */
    size_t capacity;
    act_value first[];
} act_elements;

typedef struct act_list {
    void *_Nullable header[2];
    act_elements *_Nonnull elements;
    /* For how many elements memory is reserved. */
    ptrdiff_t room;
} act_list;

/* `Gathering`, while it has gathered numbers alone */
typedef struct act_gathering {
    void *_Nullable header[2];
    double *_Nullable numbers;
    ptrdiff_t count, capacity;
} act_gathering;

/* A string of Swift: up to 15 bytes of plain characters stand in the two words themselves; the upper four bits of the second are 0xE then, the
   next four how many. Of longer ones the lower 48 bits of the first word say how many bytes there are; the second points 32 bytes before them. */
typedef struct act_string {
    uint64_t words[2];
} act_string;

typedef struct act_strings {
    void *_Nullable header[2];
    ptrdiff_t count;
    size_t capacity;
    act_string first[];
} act_strings;

typedef struct act_text {
    void *_Nullable header[2];
    act_string string;
    const void *_Nullable details; /* of plain texts NULL */
    uint8_t kind; /* 1: each byte is a character */
    bool is_for_readers;
    /* How many bytes count as held. */
    ptrdiff_t held;
} act_text;

/* Of an interpolation: a text, or the register of a value. */
typedef struct act_part {
    act_string text;
    /* -1 for a text. */
    ptrdiff_t place;
} act_part;

/* What a longer string holds its bytes in; they are followed by a zero. */
typedef struct act_string_storage {
    void *_Nullable header[2];
    /* The lower 48 bits: room for how many bytes, and the zero; and how many there are. */
    uint64_t room, count;
    char first[];
} act_string_storage;

/* `RecordShape` and `Record` */
typedef struct act_shape {
    void *_Nullable header[2];
    ptrdiff_t id;
    act_strings *_Nonnull words;
    const void *_Nonnull names;
    bool are_all_short;
} act_shape;

typedef struct act_record {
    void *_Nullable header[2];
    const act_shape *_Nonnull shape;
    act_elements *_Nonnull values;
} act_record;

typedef double (*act_unary_kernel)(double);
typedef double (*act_binary_kernel)(double, double);

typedef bool (*act_direct_answer)(const void *_Nonnull, ptrdiff_t, void *_Nonnull);

typedef struct act_function {
    void *_Nullable header[2];
    /* Of a closure, what the machine runs. */
    act_entry *_Nullable entry;
    /* Of a built-in of one or two numbers where a kernel is all there is to it. */
    act_unary_kernel _Nullable kernel;
    act_binary_kernel _Nullable binary_kernel;
    /* Of a built-in, what answers many of its calls at once. */
    act_direct_answer _Nullable direct;
    /* Of a closure, the values that it captured. */
    act_elements *_Nonnull captures;
} act_function;

/* Let go of what a list or a record that is ending holds: faster than value by value, as the array of its values would. */
void act_empty_list(void *_Nonnull list);
void act_empty_record(void *_Nonnull record);

/* `len`, and `contains` of a record. */
bool act_length(const void *_Nonnull arguments, ptrdiff_t count, void *_Nonnull result);
bool act_has_field(const void *_Nonnull arguments, ptrdiff_t count, void *_Nonnull result);

/* The string of up to 15 bytes, if they are plain characters. */
bool act_short_string(const void *_Nonnull bytes, ptrdiff_t count, act_string *_Nonnull result);

/* Puts together a text of texts and whole numbers. Returns how many bytes it has; -1 where there is more to it, or no room. */
ptrdiff_t act_interpolate(const act_part *_Nonnull parts, ptrdiff_t count, const void *_Nonnull registers, char *_Nonnull to, ptrdiff_t room);

/* How many bytes texts have together; -1 where there is another value, or one that Swift must look at. */
ptrdiff_t act_size_of_texts(const void *_Nonnull values, ptrdiff_t count);

/* Puts texts with a separator after each one after the other, as many as find room. Of them `act_size_of_texts` has seen all.
   Returns how many; `size` is how many bytes that makes. */
ptrdiff_t act_join_texts(
    const void *_Nonnull values, ptrdiff_t count, const char *_Nonnull separator, ptrdiff_t separator_size, char *_Nonnull to, ptrdiff_t room,
    ptrdiff_t *_Nonnull size);

/* Runs instructions of the topmost frame from `pc` on for as long as they concern what is said above, have nothing to warn of and no error.
   Returns the first that is left to Swift, with everything in `state`, the registers and the frames as that instruction finds it. An instruction
   whose operands are of other kinds is marked (`flags` bit 7): it is tried here again only when Swift has taken the mark off. */
Instruction *_Nonnull act_run(void *_Nonnull state, Instruction *_Nonnull pc);

/* Calls of a function of the program with numbers, one after the other, for as long as each is run by `act_run` alone. */
typedef struct act_repetition {
    const double *_Nullable numbers;
    ptrdiff_t count;
    /* The call that comes next, or that has stopped. */
    ptrdiff_t position;
    /* What is gathered: of `act_map_numbers` the results, of `act_filter_numbers` the numbers whose result is true. */
    double *_Nullable gathered;
    ptrdiff_t gathered_count;
    /* Of `act_reduce_numbers` the result so far. */
    double reached;
} act_repetition;

/* Make the calls from `position` on. `frame` is what each call runs in, above the running one.
   Returns where a call stopped whose frame stands: it is for Swift to finish; or NULL where none is open: all are made, or somebody interrupts. */
Instruction *_Nullable act_map_numbers(void *_Nonnull state, const void *_Nonnull frame, act_repetition *_Nonnull repetition);
Instruction *_Nullable act_filter_numbers(void *_Nonnull state, const void *_Nonnull frame, act_repetition *_Nonnull repetition);
Instruction *_Nullable act_reduce_numbers(void *_Nonnull state, const void *_Nonnull frame, act_repetition *_Nonnull repetition);

#endif
