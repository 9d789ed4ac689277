#include "common/mail/destination_state.h"
