#include "common/smtp/server_states.h"
