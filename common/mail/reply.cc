#include "common/mail/reply.h"
