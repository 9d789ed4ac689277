#include "master/instance.h"

#include <unistd.h>

#include <sys/wait.h>

#include "tests/unit/in_folder.h"

namespace holdfast::master {
namespace {

class Instances : public test::InFolder {};

TEST_F(Instances, ThereIsOneARunFolder) {
  const auto first = Instance::take(root_, 1);
  ASSERT_TRUE(first) << first.error().text;
  const auto second = Instance::take(root_, 1);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, base::Kind::kUnavailable);
  EXPECT_EQ(second.error().text, "another master (pid " + std::to_string(::getpid()) + ") is running with " + root_);
}

TEST_F(Instances, TheLockEndsWithItsHolder) {
  { ASSERT_TRUE(Instance::take(root_, 1)); }
  EXPECT_TRUE(Instance::take(root_, 1));
}

// A process that holds the daemons' lock as an orphaned daemon does, until its pipe is closed.
class Orphan {
 public:
  explicit Orphan(const std::string& folder) {
    int dropped[2];
    EXPECT_EQ(::pipe(pipe_), 0);
    EXPECT_EQ(::pipe(dropped), 0);
    auto instance = Instance::take(folder, 1);
    EXPECT_TRUE(instance);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(pipe_[1]);
      const int daemons = ::dup(instance->daemons_fd());
      *instance = Instance{};  // drops this process's copies; the parent's go with the parent's instance
      char c = 0;
      (void)!::write(dropped[1], &c, 1);
      (void)!::read(pipe_[0], &c, 1);
      ::close(daemons);
      ::_exit(0);
    }
    ::close(pipe_[0]);
    char c;
    EXPECT_EQ(::read(dropped[0], &c, 1), 1);
    ::close(dropped[0]);
    ::close(dropped[1]);
  }
  void end() {
    ::close(pipe_[1]);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  int pipe_[2]{};
  pid_t pid_ = 0;
};

TEST_F(Instances, OrphanedDaemonsAreWaitedForWithAnEnd) {
  Orphan orphan(root_);
  const auto refused = Instance::take(root_, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text, "daemons of an earlier master still run with " + root_);
  orphan.end();
  EXPECT_TRUE(Instance::take(root_, 1));
}

}  // namespace
}  // namespace holdfast::master
