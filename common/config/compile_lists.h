// Configured lists and their files made into what answers.
#pragma once

#include <string>
#include <vector>

#include "common/base/error.h"
#include "common/config/admission.h"
#include "common/config/finish.h"
#include "common/policy/lists.h"

namespace holdfast::config {

// Files that lists are in, each once.
std::vector<std::string> list_files(const Lists& lists);

// Reads the files (base::read_handed()). Faults are "FILE:LINE: text", one a line. Blocks: for a start, a reload, a tool.
base::Result<policy::Lists> compile_lists(const Lists& lists);

// Of a draft: values that must fit each other; the files.
void finish_admission(Draft& draft);
void check_list_files(Draft& draft);

}  // namespace holdfast::config
