#include "common/mail/address.h"
