#include "common/mail/received.h"
