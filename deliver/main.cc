#include "common/daemon/daemon.h"
#include "deliver/worker.h"

int main(int argc, char** argv) {
  return holdfast::daemon::run(argc, argv, {.name = "deliver", .start = holdfast::deliver::Worker::start});
}
