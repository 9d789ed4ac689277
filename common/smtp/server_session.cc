#include "common/smtp/server_session.h"
