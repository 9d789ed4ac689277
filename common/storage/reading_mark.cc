#include "common/storage/reading_mark.h"

#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "common/base/file.h"

namespace holdfast::storage {

ReadingMark::ReadingMark(std::string file) : file_(std::move(file)) {
  found_ = !file_.empty() && ::unlink(file_.c_str()) == 0;
}

ReadingMark::Hold::Hold(const ReadingMark& mark) : file_(mark.file_) {
  if (!file_.empty()) const base::UniqueFd made(::open(file_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0640));
}

ReadingMark::Hold::~Hold() {
  if (!file_.empty()) ::unlink(file_.c_str());
}

}  // namespace holdfast::storage
