// Who meets damage in an LMDB environment ends (lmdb.h). So that a daemon which is started again does not end again and
// again, it sets a mark, a file of its own, while it reads one; a mark that is there at its start says what happened.
#pragma once

#include <string>

namespace holdfast::storage {

class ReadingMark {
 public:
  // Takes away a mark that is there. An empty name: there are no marks.
  explicit ReadingMark(std::string file);
  // The process before this one ended while it read.
  bool found() const { return found_; }

  // The mark stands as long as this lives. One at a time. It can be set or not: reading does not depend on it.
  class Hold {
   public:
    explicit Hold(const ReadingMark& mark);
    ~Hold();
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

   private:
    const std::string& file_;
  };

 private:
  const std::string file_;
  bool found_ = false;
};

}  // namespace holdfast::storage
