#include "common/smtp/data_decoder.h"
