#include "common/smtp/line_reader.h"
