"""The answer templates that a chain begins with; it changes and retires them as it likes."""

from __future__ import annotations

Template = tuple[str, str, str]
"""Language, name, text."""

SUBJECTS = {
    "ru": "Ответ на запись № {number} за {year} год: {store}",
    "be": "Адказ на запіс № {number} за {year} год: {store}",
    "en": "Answer to entry No. {number} of {year}: {store}",
}
"""What stands above an answer that goes by mail."""

DEFAULTS: dict[str, tuple[Template, Template, Template]] = {
    "complaint": (
        (
            "ru",
            "Ответ на жалобу",
            "Здравствуйте, {name}!\n\n"
            "Мы разобрались с вашей жалобой № {number} от {date}, {store}.\n\n"
            "Что мы выяснили: \n\nЧто мы сделали: \n\n"
            "Приносим извинения. Спасибо, что написали нам.\n\n{answer_date}",
        ),
        (
            "be",
            "Адказ на скаргу",
            "Добры дзень, {name}!\n\n"
            "Мы разабраліся з вашай скаргай № {number} ад {date}, {store}.\n\n"
            "Што мы высветлілі: \n\nШто мы зрабілі: \n\n"
            "Просім прабачэння. Дзякуй, што напісалі нам.\n\n{answer_date}",
        ),
        (
            "en",
            "Answer to a complaint",
            "Dear {name},\n\n"
            "we have looked into your complaint No. {number} of {date}, {store}.\n\n"
            "What we found: \n\nWhat we did: \n\n"
            "We apologise, and thank you for writing to us.\n\n{answer_date}",
        ),
    ),
    "claim": (
        (
            "ru",
            "Ответ на претензию",
            "Здравствуйте, {name}!\n\n"
            "Мы рассмотрели вашу претензию № {number} от {date}, {store}.\n\n"
            "Наше решение: \n\nЧто вам нужно сделать: \n\n"
            "Если вы не согласны, ответьте нам, и мы вернёмся к вопросу.\n\n{answer_date}",
        ),
        (
            "be",
            "Адказ на прэтэнзію",
            "Добры дзень, {name}!\n\n"
            "Мы разгледзелі вашу прэтэнзію № {number} ад {date}, {store}.\n\n"
            "Наша рашэнне: \n\nШто вам трэба зрабіць: \n\n"
            "Калі вы не згодныя, адкажыце нам, і мы вернемся да пытання.\n\n{answer_date}",
        ),
        (
            "en",
            "Answer to a claim",
            "Dear {name},\n\n"
            "we have considered your claim No. {number} of {date}, {store}.\n\n"
            "Our decision: \n\nWhat you need to do: \n\n"
            "If you do not agree, tell us, and we will look at it again.\n\n{answer_date}",
        ),
    ),
    "suggestion": (
        (
            "ru",
            "Ответ на предложение",
            "Здравствуйте, {name}!\n\n"
            "Спасибо за предложение № {number} от {date}, {store}. Мы его обсудили.\n\nЧто решили: \n\n{answer_date}",
        ),
        (
            "be",
            "Адказ на прапанову",
            "Добры дзень, {name}!\n\n"
            "Дзякуй за прапанову № {number} ад {date}, {store}. Мы яе абмеркавалі.\n\nШто вырашылі: \n\n{answer_date}",
        ),
        (
            "en",
            "Answer to a suggestion",
            "Dear {name},\n\n"
            "thank you for suggestion No. {number} of {date}, {store}. We have talked it over.\n\n"
            "What we decided: \n\n{answer_date}",
        ),
    ),
    "thanks": (
        (
            "ru",
            "Ответ на благодарность",
            "Здравствуйте, {name}!\n\n"
            "Спасибо за добрые слова от {date}. Мы передали их тем, кто работает здесь: {store}.\n\n{answer_date}",
        ),
        (
            "be",
            "Адказ на падзяку",
            "Добры дзень, {name}!\n\n"
            "Дзякуй за добрыя словы ад {date}. Мы перадалі іх тым, хто працуе тут: {store}.\n\n{answer_date}",
        ),
        (
            "en",
            "Answer to thanks",
            "Dear {name},\n\n"
            "thank you for your kind words of {date}. We have passed them on to those who work here: {store}.\n\n"
            "{answer_date}",
        ),
    ),
    "more_time": (
        (
            "ru",
            "Нужно больше времени",
            "Здравствуйте, {name}!\n\n"
            "Чтобы ответить на запись № {number} от {date}, нам нужно больше времени. Причина: {reason}\n\n"
            "Мы ответим не позднее {due}.\n\n{answer_date}",
        ),
        (
            "be",
            "Патрэбна больш часу",
            "Добры дзень, {name}!\n\n"
            "Каб адказаць на запіс № {number} ад {date}, нам патрэбна больш часу. Прычына: {reason}\n\n"
            "Мы адкажам не пазней за {due}.\n\n{answer_date}",
        ),
        (
            "en",
            "We need more time",
            "Dear {name},\n\n"
            "to answer entry No. {number} of {date} we need more time. The reason: {reason}\n\n"
            "You will have our answer by {due}.\n\n{answer_date}",
        ),
    ),
    "forwarded": (
        (
            "ru",
            "Передано другому адресату",
            "Здравствуйте, {name}!\n\n"
            "Вопрос из записи № {number} от {date} решаем не мы. Мы передали её адресату: {addressee}.\n\n"
            "{answer_date}",
        ),
        (
            "be",
            "Перададзена іншаму адрасату",
            "Добры дзень, {name}!\n\n"
            "Пытанне з запісу № {number} ад {date} вырашаем не мы. Мы перадалі яго адрасату: {addressee}.\n\n"
            "{answer_date}",
        ),
        (
            "en",
            "Forwarded",
            "Dear {name},\n\n"
            "the matter of entry No. {number} of {date} is not ours to decide. We have passed it on to: "
            "{addressee}.\n\n"
            "{answer_date}",
        ),
    ),
}
"""By what they are for."""
