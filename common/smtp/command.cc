#include "common/smtp/command.h"
