#include "common/smtp/reply_parser.h"
