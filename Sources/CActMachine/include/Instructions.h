/* Register code: what the compiler writes and the machine runs. An operation is named here once; the compiler and both halves of the machine
   switch over it.

   Registers are counted from the frame's base; parameters come first. In the comments R is a register, K a constant. */

#ifndef ACT_INSTRUCTIONS_H
#define ACT_INSTRUCTIONS_H

#include <stddef.h>
#include <stdint.h>

typedef enum __attribute__((enum_extensibility(closed))) Opcode : uint8_t {
    /* Moving values */
    OpcodeMove,                                 /* R[a] = R[b] */
    OpcodeConstant,                             /* R[a] = K[b] */
    OpcodeLoadGlobal,                           /* R[a] = global b; it must have a value */
    OpcodeLoadGlobalOrNone,                     /* R[a] = global b or undefined: the callee of a method call */
    OpcodeStoreGlobal,                          /* global a = R[b] */
    OpcodeCheckGlobal,                          /* global a must have a value */
    OpcodeAddGlobal,                            /* global a = global a + R[b] */
    OpcodeUnsetGlobal,                          /* global a goes back to the built-in of that name, or to nothing */
    OpcodeLoadCapture,                          /* R[a] = capture b */
    OpcodeLoadSelf,                             /* R[a] = the running function */
    OpcodeCheckLocal,                           /* R[a] must have a value */
    OpcodeClear,                                /* R[a] = undefined */
    OpcodeNoteField,                            /* the function of a layer has assigned R[a] to the field of the name K[b] */

    /* Operators: R[a] = R[b] op R[c], or K[c] */
    OpcodeAdd, OpcodeSub, OpcodeMul, OpcodeDiv, OpcodePow, OpcodeFloorDivide, OpcodeModulo, OpcodeMatmul,
    /* (where `extra` is 1 the constant is the left operand; for add and mul only) */
    OpcodeAddK, OpcodeSubK, OpcodeMulK, OpcodeDivK, OpcodePowK, OpcodeFloorDivideK, OpcodeModuloK,
    OpcodeNegate, OpcodePlus, OpcodeNot,        /* R[a] = op R[b] */
    OpcodeLess, OpcodeLessEqual, OpcodeGreater, OpcodeGreaterEqual, OpcodeEqual, OpcodeNotEqual,
    OpcodeLogicalAnd, OpcodeLogicalOr,          /* both sides are there */
    OpcodeCompose,

    /* Jumps go a instructions on from here */
    OpcodeJump,
    OpcodeCheckInterrupt,                       /* in every loop whose jump back does not look itself */
    OpcodeJumpIfFalse,                          /* if not R[b] */
    OpcodeJumpIfTrue,
    OpcodeAndSkip,                              /* if R[b] is false: skip the right side */
    OpcodeOrSkip,                               /* if R[b] is true */
    OpcodeJumpIfDefined,                        /* if R[b] has a value: skip the default */
    /* if R[b] op R[c]; where `extra` is 0, unless; where it is 3, back in a loop */
    OpcodeJumpLess, OpcodeJumpLessEqual, OpcodeJumpGreater, OpcodeJumpGreaterEqual, OpcodeJumpEqual, OpcodeJumpNotEqual,
    /* the same with K[c] */
    OpcodeJumpLessK, OpcodeJumpLessEqualK, OpcodeJumpGreaterK, OpcodeJumpGreaterEqualK, OpcodeJumpEqualK, OpcodeJumpNotEqualK,

    /* Loops keep their state in R[a] …: the iterable (or start), the step, the position, the count */
    OpcodeIterate,                              /* prepares R[a] for iteration */
    OpcodeIterateRange,                         /* R[a] is the value of the name `range`, R[a+1]… its b arguments; prepares R[a] without making the array */
    OpcodeNext,                                 /* jumps after fetching R[b] = next of the iteration at R[c]; falls through at the end */

    /* Making values */
    OpcodeMakeArray,                            /* R[a] = [R[b] … c of them] */
    OpcodeMakeList,                             /* R[a] = (R[b] … c of them) */
    OpcodeMakeRecord,                           /* R[a] = {the names of records[c]: R[b] …} */
    OpcodeSpread,                               /* R[a] = the record R[a] with the fields of the record R[b], in the place of those of their names */
    OpcodeBeginCollection,                      /* R[a] = an empty collection: a list, or where b is 1 what becomes an array or a list */
    OpcodeAppend,                               /* appends R[b] to the collection R[a] */
    OpcodeFinishCollection,                     /* R[a] = what the collection R[b] becomes */
    /* R[a] = concat((R[a], R[b])), or with (R[b],) or [R[b]] in the place of R[b], as c says; global `extra` is `concat` */
    OpcodeExtend,
    OpcodeExtendGlobal,                         /* the same with global a */
    OpcodeInterpolate,                          /* R[a] = interpolation b of the code, from R[c] … */
    OpcodeMakeFunction,                         /* R[a] = closure over function b of the code */
    OpcodePrime,                                /* R[a] = R[b]', c times */

    /* Parts of values */
    OpcodeIndex,                                /* R[a] = R[b][R[c]] */
    OpcodeIndexGlobal,                          /* R[a] = global b[R[c]] */
    OpcodeIndexTwo,                             /* R[a] = R[b][R[first], R[second]]: the registers that c packs */
    OpcodeIndexItems,                           /* R[a] = R[b][items c of the code] */
    OpcodeField,                                /* R[a] = R[b].name, as known field c of the code says */
    OpcodeUpdate,                               /* path update a of the code */
    /* Updates of one step; those that cannot be done at once are path update `updateIndex` of the code */
    OpcodeChangeElement,                        /* R[a][R[b]] = R[c], or += and its like; a is a global where `changesGlobal` says so */
    OpcodeChangeElementTwo,                     /* R[a][R[first], R[second]] = R[c] …: the registers that b packs */
    OpcodeChangeField,                          /* R[a].name = R[c] …, the name as known field b says */
    OpcodeUnpack,                               /* R[a] … c of them = the elements of R[b] */

    /* Calls: the callee is R[b], its arguments follow; c of them by position */
    OpcodeCall,                                 /* R[a] = R[b](R[b+1] …) */
    OpcodeCallGlobal,                           /* the same with global `extra` as the callee */
    OpcodeCallShaped,                           /* the same with names or as a method, as call shape `extra` says. Of a method, R[b] is the function of */
                                                /* that name, if there is one, and R[b+1] the value before the point */
    OpcodeResult,                               /* returns R[b] */

    /* The outermost level */
    OpcodeShow,                                 /* shows R[b], unless it is none */

    /* Explanations */
    OpcodeRecord,                               /* notes R[a] as the value of the instruction's expression; in code that is compiled for a recording */
    OpcodeCheckForm,                            /* R[a] is the value of a formula that can lose digits: check b of the code looks at it */
} Opcode;

typedef struct Instruction {
    /* What the part of the loop in C goes to: the opcode, or what does this instruction and the next one together (`act_pair`). */
    uint8_t handler;
    /* Bits 0 and 1: whether R[b] and R[c] are used here for the last time, so that their memory may be reused. Bit 7: see `act_run`. */
    uint8_t flags;
    uint16_t extra;
    /* a, b and c times 16, which is the size of a value and of an instruction: what they count is so many bytes away. */
    int32_t a_bytes, b_bytes, c_bytes;
} Instruction;

/* Handlers from here on are of two instructions. */
enum { act_first_pair = OpcodeCheckForm + 1 };

/* Of handlers of two instructions, the opcode of the first. */
extern const Opcode act_first_of_pairs[];

static inline Opcode act_opcode(uint8_t handler) { return handler < act_first_pair ? (Opcode)handler : act_first_of_pairs[handler - act_first_pair]; }

/* Lets instructions that often come one after the other be done together: the first of two gets their common handler. It does both where it has
   to do with numbers alone, and else what the first means by itself; so who jumps to the second, and Swift, need not know. */
void act_pair(Instruction *_Nonnull instructions, ptrdiff_t count);

#endif
