#include "ActContext.h"

static _Thread_local struct act_context current;

struct act_context *act_context(void) { return &current; }
