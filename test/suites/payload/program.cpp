// C++ with everything that needs its runtime: exceptions through threads, futures, condition variables, iostreams.
#include <chrono>
#include <condition_variable>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct guard {
    int &n;
    explicit guard(int &n) : n(n) { n++; }
    ~guard() { n--; }
};

static int depth;

static int dive(int n)
{
    guard g(depth);
    if (n == 0)
        throw std::out_of_range("bottom");
    return dive(n - 1) + 1;
}

struct with_destructor {
    ~with_destructor() { std::cout << "static destructor" << std::endl; }
};
static with_destructor at_the_end;

int main()
{
    try {
        dive(100);
    } catch (const std::exception &e) {
        std::cout << "caught " << e.what() << ", depth " << depth << '\n';
    }
    std::vector<std::future<long>> results;
    for (int i = 0; i < 8; i++)
        results.push_back(std::async(std::launch::async, [i] {
            if (i == 5)
                throw std::runtime_error("the fifth");
            std::map<int, std::string> m;
            for (int k = 0; k < 3000; k++)
                m[k * 7919 % 3001] = std::to_string(k * i);
            long sum = 0;
            for (auto &[k, v] : m)
                sum += k + (long)v.size();
            return sum;
        }));
    for (auto &r : results)
        try {
            std::cout << r.get() << '\n';
        } catch (const std::exception &e) {
            std::cout << "exception: " << e.what() << '\n';
        }
    std::mutex m;
    std::condition_variable changed;
    int turn = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&, i] {
            for (int round = 0; round < 50; round++) {
                std::unique_lock<std::mutex> l(m);
                changed.wait(l, [&] { return turn % 4 == i; });
                turn++;
                changed.notify_all();
            }
        });
    for (auto &t : threads)
        t.join();
    std::cout << "turns " << turn << '\n';
    std::timed_mutex slow;
    std::lock_guard<std::timed_mutex> held(slow);
    auto late = std::async(std::launch::async, [&] { return slow.try_lock_for(std::chrono::milliseconds(20)); });
    std::cout << "got it: " << late.get() << '\n';
    std::smatch found;
    std::string text = "year 2024, month 05";
    std::regex_search(text, found, std::regex("month (\\d+)"));
    std::cout << found[1] << '\n';
    try {
        std::vector<int> v(3);
        v.at(3) = 1;
    } catch (...) {
        std::cout << "at() throws\n";
    }
    try {
        std::unique_ptr<char[]> p(new char[1UL << 46]);
        std::cout << "too much memory\n";
    } catch (const std::bad_alloc &) {
        std::cout << "bad_alloc\n";
    }
    return 0;
}
