from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.moment import REASONS, reason

MOMENT = """
What time is it?
What time is it in Tokyo?
what's the time right now
What's today's date?
What day is it today?
Which day is it tomorrow, and what is the date?
What is the current date and time?
How many days are left until Christmas?
What's the weather like in Lisbon?
How is the weather today?
weather in Oslo
Will it rain tomorrow?
Is it raining in Leeds?
Do people need an umbrella in Hamburg today?
What's the temperature outside?
Give me the weather forecast for Friday.
What is the current price of gold?
What is the stock price of Nvidia?
How much is 5 USD in EUR?
What is the exchange rate between euro and yen?
What's the price of bitcoin?
What is the latest version of Node?
How do I update to the latest version?
Which is the newest release of Django?
Write a Dockerfile that uses the latest LTS release.
What's the latest news about the election?
Any news from Mars?
Show me the headlines.
Who is the current president of France?
Who is winning the match right now?
What's the score?
What is happening in the world right now?
When is the next full moon?
What movies are playing this weekend?
Is the museum open today?
What did the central bank announce yesterday?
Who is currently the richest person?
Hi, could you please tell me what's happening today?
The flight was long. What is the weather like in Quito?
Wie wird das Wetter heute?
Quel temps fait-il aujourd'hui ?
¿Qué tiempo hace hoy?
今天天气怎么样？
Какая сегодня погода?
"""

CREATIVE = """
Tell me a joke
Tell me another joke
Please tell me a funny joke about cats.
Do you know any good riddles?
Give me a fun fact
Write me a short story.
Sing a song for me
Compose a poem
Surprise me!
Make me laugh
Give me a random number between 1 and 10
Pick a random country
Suggest some random names for a hamster
a random word please
Choose one of them at random.
Pick a number
Flip a coin
Roll two dice
Another one
Give me another example
another idea please
Suggest something else
One more please
Five more ideas
Show me some other options
How about a different recipe?
Brainstorm ways to use an old tyre
"""

RETRY = """
Try again
Please try again.
try again with fewer words
No, that's wrong. Try again!
Again!
Retry
Regenerate
Regenerate the response
Redo it
Do it again, please
Answer again
Rewrite it
Rephrase your answer
Give it another try
One more time
Say that again
Start over
"""

COMPARED = """
Cancel my order
Why was my card declined today?
I ordered this yesterday. Where is my parcel?
Can I pay my bill tomorrow?
I currently live in Spain. Can I open an account?
My app is not working right now, what should I do?
What is my current balance?
How do I change my current password?
How long until my refund arrives?
What time does the shop open?
At what time of year should roses be cut?
What is the time complexity of quicksort?
What is the time difference between Rome and New York?
How do I get today's date in Python?
Write a function that returns the current time.
How can I print the current directory?
How do I show the current branch in git?
How do I select the latest row per group in SQL?
How do I generate a random number in Python?
Write a script that picks a random line from a file.
How does a random forest work?
What is random access memory?
What is a random walk?
What is an alternating current?
How strong is the current in this circuit?
How do firms weather the storm?
What should I do when I feel under the weather?
How do I open another account?
Can I add another card?
Can I try again with another card?
I tried again and it failed. Why?
What does "please try again later" mean?
How do I fix the error: try again later?
Show me another way to pay
Tell me more about the return policy
What is the latest I can check out?
What is a news ticker?
How do I unsubscribe from the newsletter?
What is a user story?
Write a haiku about the sea with three animals in it.
Write a story about a dragon that fears mice.
What is the plot of the story of Job?
What does the saying "today is a gift" mean?
Who was president in 1990?
What will the house be worth in 2030, if it grows by 3 % this year?
Who won the world cup in 2018?
How is the exchange rate determined?
How do I roll back a commit?
How do I choose between a list and a tuple?
What is the moment of inertia of a sphere?
What is the present perfect?
What is next to the station?
Repeat the word banana three times.
Summarize this letter for me.
Translate "What is the weather today?" into French.
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("question", lines(MOMENT))
def test_what_is_true_today_only_is_of_the_moment(question: str) -> None:
    assert "moment" == reason(question)


@pytest.mark.parametrize("question", lines(CREATIVE))
def test_who_wants_something_of_its_own_is_creative(question: str) -> None:
    assert "creative" == reason(question)


@pytest.mark.parametrize("question", lines(RETRY))
def test_who_wants_another_answer_tries_again(question: str) -> None:
    assert "retry" == reason(question)


@pytest.mark.parametrize("question", lines(COMPARED))
def test_the_same_words_about_something_else_are_no_reason(question: str) -> None:
    assert "" == reason(question)


def test_what_is_pasted_in_the_middle_is_not_asked() -> None:
    article = "It was a long year. " * 60
    pasted = f"Summarize this text: {article} What is the weather today? {article} Be brief."

    assert "" == reason(pasted)
    assert "moment" == reason(f"{article} What is the weather today?")


@pytest.mark.parametrize("off", REASONS)
def test_a_reason_that_is_switched_off_does_not_count(off: str) -> None:
    examples = {"moment": "What time is it?", "creative": "Tell me a joke", "retry": "Try again"}

    assert "" == reason(examples[off], frozenset({off}))
    assert all(name == reason(examples[name], frozenset({off})) for name in {*REASONS} - {off})


WORDS = st.sampled_from(
    "what is the weather how many days until another random try again latest version today now"
    " my joke . ? \n \" ` '".split(" ")
)


@given(st.one_of(st.text(), st.lists(WORDS, max_size=300).map(" ".join)))
def test_it_never_raises_and_says_what_it_knows(text: str) -> None:
    assert reason(text) in ("", *REASONS)
