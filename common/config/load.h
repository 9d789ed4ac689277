// From the admin's files to a Config that everyone may trust.
//
// Read are FILE, then conf.d/*.yaml and domains.d/DOMAIN.yaml beside it, each kind in the order of their
// names. A file of conf.d has the shape of FILE; a plain setting that it gives replaces the earlier one. A
// file of domains.d holds the settings of the one domain it is named after. A domain or a destination may be
// described once only, whatever the file. Relative paths count from the folder of the file that says them.
#pragma once

#include <string>

#include "common/base/error.h"
#include "common/config/config.h"

namespace holdfast::config {

// Errors are kConfig; the text holds every fault found, one line each: "FILE:LINE: what is wrong (did you
// mean 'servers'?)". What is legal but hardly meant goes to Config::warnings in the same form. Reads files
// and the machine's name, nothing else; blocks.
//
// Files::kCheck: certificates, keys, CA and password files are tried too. That is for master and `config check`: others
// may not be allowed to read them, and a daemon must start whatever became of them.
enum class Files { kSkip, kCheck };
base::Result<Config> load(const std::string& file, Files files = Files::kSkip);

// One file without those beside it: the copy of the running configuration that master gives to the daemons.
base::Result<Config> load_alone(const std::string& file);

// Only the folders, as far as they can be made out whatever else is wrong: for tools that must work while
// the file is being edited. kConfig when it cannot be read at all.
base::Result<Paths> load_paths(const std::string& file);

// Checks text as load() does, as if it were the content of `file`, with no files beside it.
base::Result<Config> load_text(const std::string& text, const std::string& file);

}  // namespace holdfast::config
