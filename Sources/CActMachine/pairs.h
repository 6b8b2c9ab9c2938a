/* The instructions that the loop does together with the one after them: those that programs run most. A pair is a handler of its own; what does
   it is put together of what does the parts (`run.c`). The third word says what the second makes of the result of the first. */

#ifndef ACT_PAIRS_H
#define ACT_PAIRS_H

#define ACT_ARITHMETIC_THEN(P, second, how) \
    P(Add, second, how) P(Sub, second, how) P(Mul, second, how) P(AddK, second, how) P(SubK, second, how) P(MulK, second, how)

#define ACT_PAIRS(P) \
    ACT_ARITHMETIC_THEN(P, Add, as_b) ACT_ARITHMETIC_THEN(P, Sub, as_b) ACT_ARITHMETIC_THEN(P, Mul, as_b) \
    ACT_ARITHMETIC_THEN(P, AddK, as_b) ACT_ARITHMETIC_THEN(P, SubK, as_b) ACT_ARITHMETIC_THEN(P, MulK, as_b) \
    ACT_ARITHMETIC_THEN(P, Add, as_c) ACT_ARITHMETIC_THEN(P, Sub, as_c) ACT_ARITHMETIC_THEN(P, Mul, as_c) \
    P(Mul, Mul, apart) P(MulK, MulK, apart) P(AddK, AddK, apart) P(Add, Add, apart) \
    P(Index, Add, as_b) P(Index, Add, as_c) P(Index, Sub, as_b) P(Index, Sub, as_c) P(Index, Mul, as_b) P(Index, Mul, as_c) P(Index, MulK, as_b) \
    P(IndexTwo, Add, as_c) P(IndexTwo, Mul, as_b) P(IndexTwo, Mul, as_c) P(IndexTwo, IndexTwo, apart) \
    P(AddK, Index, as_c) P(SubK, Index, as_c) P(Index, Index, apart) \
    ACT_ARITHMETIC_THEN(P, ChangeElement, apart) ACT_ARITHMETIC_THEN(P, Append, apart) ACT_ARITHMETIC_THEN(P, Result, apart) \
    P(Mul, ChangeElementTwo, apart) P(Add, ChangeElementTwo, apart) \
    P(AddK, JumpLess, as_b) P(AddK, JumpLessEqual, as_b) P(AddK, JumpLessK, as_b) P(AddK, JumpLessEqualK, as_b) P(AddK, JumpNotEqualK, apart) \
    P(SubK, JumpGreater, as_b) P(SubK, JumpGreaterEqual, as_b) P(SubK, JumpGreaterK, as_b) P(SubK, JumpGreaterEqualK, as_b) \
    P(Add, JumpLess, as_b) P(Add, JumpLessEqual, as_b) P(Add, JumpGreater, as_b) \
    P(Add, JumpLessK, as_b) P(Add, JumpGreaterK, as_b) P(Add, JumpGreaterEqualK, as_b) \
    P(ModuloK, JumpEqualK, as_b) P(ModuloK, JumpNotEqualK, as_b) P(Index, JumpEqualK, as_b) P(Index, JumpNotEqualK, as_b) \
    P(Add, Next, apart) P(Sub, Next, apart) P(Mul, Next, apart) P(AddK, Next, apart) \
    P(ChangeElement, Next, apart) P(ChangeElementTwo, Next, apart) P(Append, Next, apart) P(ChangeField, Next, apart) \
    P(AddK, Jump, apart) P(SubK, Jump, apart) P(DivK, Jump, apart) P(Move, Jump, apart) \
    P(AddK, Call, apart) P(SubK, Call, apart) P(Move, Call, apart) P(Constant, Call, apart) \
    P(AddK, CallGlobal, apart) P(SubK, CallGlobal, apart) P(Move, CallGlobal, apart) P(MulK, CallGlobal, apart) \
    P(Index, CallGlobal, apart) P(Constant, CallGlobal, apart) \
    P(Constant, Append, straight_b) \
    P(Constant, ChangeElement, straight_c) P(Constant, ChangeElement, apart) P(JumpIfDefined, Constant, apart) P(JumpIfDefined, JumpIfDefined, apart) \
    P(LoadCapture, Add, as_c) P(LoadCapture, Mul, as_c) P(Move, Move, apart) P(Move, AddK, apart) P(Field, Add, apart) P(Field, ChangeField, apart)

#endif
