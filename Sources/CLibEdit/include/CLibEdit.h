#ifndef ACT_LIBEDIT_H
#define ACT_LIBEDIT_H
#endif
