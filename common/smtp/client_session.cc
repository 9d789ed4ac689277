#include "common/smtp/client_session.h"
