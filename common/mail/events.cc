#include "common/mail/events.h"
